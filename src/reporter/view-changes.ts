import type { HealthState } from '../core/types.ts';
import { clockTime, count, counted, moment } from '../shared/format.ts';
import { memberName } from './lanes.ts';
import type { Report, ReportTransition } from './model.ts';

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

/** The configuration over the run: shown where it changed, or was meant to. */
export interface ConfigView {
  readonly note: string;
  readonly revisions: readonly { readonly revision: string; readonly from: string; readonly now: boolean }[];
  readonly errors: readonly string[];
}

const MAX_CHANGES = 6;
/** Changes that the page holds at all; report.json has every one. */
const MAX_CHANGES_HELD = 500;
const MAX_REVISIONS = 20;
const MAX_CONFIG_ERRORS = 20;

export function changesView(report: Report): ChangesView | null {
  const { transitions } = report;
  if (transitions.length === 0) return null;
  const rows = transitions.slice(0, MAX_CHANGES_HELD).map(toChange);
  const cut = transitions.length - rows.length;
  return {
    rows: rows.slice(0, MAX_CHANGES),
    rest: rows.slice(MAX_CHANGES),
    showRest: `Show ${counted(Math.max(0, rows.length - MAX_CHANGES), 'more change')}`,
    note: `${counted(transitions.length, 'change')} of a member’s health${cut > 0 ? `; the last ${count(cut)} are in report.json only` : ''}.`,
  };
}

export function configView({ run }: Report): ConfigView | null {
  const { configRevision, configRevisions, configErrors } = run;
  if (configRevisions.length < 2 && configErrors.length === 0) return null;
  const edits = configRevisions.length - 1;
  const said = [
    edits > 0 ? `${counted(edits, 'edit')} took effect while tests ran` : 'No edit took effect',
    configErrors.length > 0 ? `${counted(configErrors.length, 'problem')} kept an edit from it` : '',
  ];
  return {
    note: `${said.filter(Boolean).join('; ')}.`,
    revisions: configRevisions.slice(-MAX_REVISIONS).map(({ revision, from }) => {
      return { revision, from: clockTime(Date.parse(from)), now: revision === configRevision };
    }),
    errors: configErrors.slice(0, MAX_CONFIG_ERRORS),
  };
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
