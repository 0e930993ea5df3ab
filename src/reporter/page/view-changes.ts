import type { HealthState } from '../../core/types.ts';
import { clockTime, count, counted, moment, shorten } from '../../shared/format.ts';
import { memberName } from '../report/member-names.ts';
import type { Report, ReportTransition } from '../report/model.ts';

export interface ChangesView {
  readonly rows: readonly ChangeRow[];
  readonly rest: readonly ChangeRow[];
  readonly showRest: string;
  readonly note: string;
}

interface ChangeRow {
  readonly at: string;
  readonly member: string;
  readonly from: HealthState;
  readonly to: HealthState;
  readonly why: string;
  /** Empty where no timer ends it. */
  readonly until: string;
}

/** The configuration over the run; shown where an edit changed it or was refused. */
export interface ConfigView {
  readonly note: string;
  readonly revisions: readonly RevisionRow[];
  /** Problems of the file at the end of the run. */
  readonly errors: readonly string[];
}

interface RevisionRow {
  readonly at: string;
  readonly revision: string;
  readonly now: boolean;
  readonly changes: readonly string[];
  readonly errors: readonly string[];
}

const MAX_CHANGES = 6;
/** Changes that the page holds; report.json has all. */
const MAX_CHANGES_HELD = 500;
const MAX_REVISIONS = 20;
const MAX_CONFIG_ERRORS = 20;
const MAX_FIELDS = 12;
const MAX_VALUE = 80;

export function changesView(report: Report): ChangesView | null {
  const { transitions } = report;
  if (transitions.length === 0) return null;
  const rows = transitions.slice(0, MAX_CHANGES_HELD).map(toChange);
  const cut = transitions.length - rows.length;
  return {
    rows: rows.slice(0, MAX_CHANGES),
    rest: rows.slice(MAX_CHANGES),
    showRest: `Show ${counted(Math.max(0, rows.length - MAX_CHANGES), 'more change')}`,
    note: `${counted(transitions.length, 'change')} of members’ health${cut > 0 ? `; the last ${count(cut)} are in report.json only` : ''}.`,
  };
}

export function configView({ run }: Report): ConfigView | null {
  const { configRevision, revisions, configErrors } = run;
  const reported = new Set(revisions.flatMap(({ errors }) => errors));
  // Machines that share a run each report the same revision.
  const edits = new Set(revisions.map(({ revision }) => revision)).size - 1;
  // A file that was not valid at the start is a notice.
  if (configRevision === null && revisions.length === 0) return null;
  if (edits < 1 && reported.size === 0 && configErrors.length === 0) return null;
  const refused = new Set([...reported, ...configErrors]).size;
  const parts = [
    edits > 0 ? `${counted(edits, 'edit')} took effect while tests ran` : 'No edit took effect',
    refused > 0 ? `${counted(refused, 'problem')} prevented an edit, or a part of it` : '',
  ];
  return {
    note: `${parts.filter(Boolean).join('; ')}.`,
    revisions: revisions.slice(-MAX_REVISIONS).map(({ at, revision, changes, errors }) => ({
      at: clockTime(Date.parse(at)),
      revision,
      now: revision === configRevision,
      changes: changes.slice(0, MAX_FIELDS).map(({ path, old, new: next }) => {
        return `${path}: ${valueText(old)} → ${valueText(next)}`;
      }),
      errors,
    })),
    errors: configErrors.filter((error) => !reported.has(error)).slice(0, MAX_CONFIG_ERRORS),
  };
}

function valueText(value: unknown): string {
  return value === null || value === undefined ? 'none' : shorten(JSON.stringify(value), MAX_VALUE);
}

function toChange(change: ReportTransition): ChangeRow {
  return {
    at: clockTime(Date.parse(change.at)),
    member: memberName(change),
    from: change.from,
    to: change.to,
    why: change.why,
    until: change.until === null ? '' : moment(Date.parse(change.until), Date.parse(change.at)),
  };
}
