import { capital, count, counted } from '../../shared/format.ts';
import { memberName } from './timeline-rows.ts';
import type { Report } from '../report/model.ts';

export interface Notice {
  readonly tone: 'bad' | 'warn';
  readonly text: string;
}

const MAX_OUT = 4;
const MAX_STAND_INS = 3;
/** Missing shards that are named; more are counted. */
const MAX_NAMED = 12;

/** What a reader must know of the run beside its tests. */
export function noticesOf(report: Report, running: boolean = false): Notice[] {
  const { run } = report;
  const notices: Notice[] = [];
  if (run.status === 'timedout') notices.push({ tone: 'bad', text: 'The run hit its time limit.' });
  const cutOff = cutOffText(report);
  if (cutOff) notices.push({ tone: 'bad', text: cutOff });
  else if (run.status === 'interrupted') notices.push({ tone: 'bad', text: 'The run was interrupted.' });
  if (run.gate?.line) notices.push({ tone: 'bad', text: `${capital(run.gate.line)}.` });
  else if (run.status === 'failed' && report.totals.failed === 0) {
    notices.push({
      tone: 'bad',
      text: 'The run failed outside of its tests; Playwright’s own output says why.',
    });
  }
  const missing = missingShards(report);
  if (missing) notices.push({ tone: 'warn', text: missing });
  if (run.configErrors.length > 0) {
    const kept = run.configRevision === null ? '' : ` Revision ${run.configRevision} stayed in force.`;
    notices.push({
      tone: 'warn',
      text: `An edit of the config was refused: ${run.configErrors.join('; ')}.${kept}`,
    });
  }
  notices.push(
    ...fallbackNotice(report).map((text) => ({ tone: 'warn' as const, text: `${capital(text)}.` })),
  );
  const out = membersOut(report, running ? 'now' : 'at the end');
  if (out) notices.push({ tone: 'warn', text: out });
  return notices;
}

/** The report comes from the journal of a run that was killed. */
export function cutOffText({ run: { cutOff } }: Report): string | null {
  return cutOff && `The run was ended before it could report: ${measuredSoFar(cutOff)}`;
}

/** How far a run had come of which only a part is known. */
export function measuredSoFar({ planned, ended }: NonNullable<Report['run']['cutOff']>): string {
  return `this is what it had measured when ${count(ended)} of ${counted(planned, 'test')} had ended.`;
}

/** `pool "api-dr" stood in for 12 tests: pool "api" had no member to give: ci-1 exhausted until …` */
export function fallbackNotice({ fallbacks }: Report): string[] {
  const lines = fallbacks.slice(0, MAX_STAND_INS).map(({ fallbackPool, why, tests }) => {
    return `pool "${fallbackPool}" stood in for ${counted(tests, 'test')}: ${why}`;
  });
  const cut = fallbacks.length - lines.length;
  return cut > 0 ? [...lines, `and for ${counted(cut, 'further reason')}`] : lines;
}

/** Parts of a sharded run of which no test has told anything: they are not in this report. */
export function missingShards(report: Report): string | null {
  const { total, present } = report.run.shards;
  const known = new Set(present.filter((shard) => shard >= 1 && shard <= total));
  const missing = total - known.size;
  if (!(missing > 0)) return null;
  const names = missing > MAX_NAMED ? count(missing) : missingOf(known, total).join(', ');
  const which = missing === 1 ? `Shard ${names} of ${total} is` : `Shards ${names} of ${total} are`;
  return `${which} missing: not merged, not run, or without a test of gemba-agent.`;
}

function missingOf(known: ReadonlySet<number>, total: number): number[] {
  return Array.from({ length: total }, (_, index) => index + 1).filter((shard) => !known.has(shard));
}

function membersOut(report: Report, when: string): string | null {
  const out = report.pools.flatMap((pool) =>
    [...pool.endpoints, ...pool.keys]
      .filter(({ state }) => state !== 'healthy')
      .map(({ name, state }) => {
        return `${memberName({ pool: pool.name, endpoint: name, key: null })} (${state})`;
      }),
  );
  if (out.length === 0) return null;
  const rest = out.length > MAX_OUT ? ` and ${count(out.length - MAX_OUT)} more` : '';
  return `Not healthy ${when}: ${out.slice(0, MAX_OUT).join(', ')}${rest}.`;
}
