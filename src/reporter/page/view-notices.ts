import { capital, count, counted } from '../../shared/format.ts';
import { memberName } from '../report/member-names.ts';
import type { Report } from '../report/model.ts';

export interface Notice {
  readonly tone: 'bad' | 'warn';
  readonly text: string;
}

const MAX_UNHEALTHY = 4;
const MAX_FALLBACKS = 3;
/** Missing shards that are listed; more are counted. */
const MAX_NAMED = 12;

/** Notices about the run as a whole. */
export function noticesOf(report: Report, running: boolean = false): Notice[] {
  const { run } = report;
  const notices: Notice[] = [];
  // First: every number of the report lacks them.
  const missing = missingShards(report);
  if (missing) notices.push({ tone: 'bad', text: missing });
  if (run.status === 'timedout') notices.push({ tone: 'bad', text: 'The run hit its time limit.' });
  const cutOff = cutOffText(report);
  if (cutOff) notices.push({ tone: 'bad', text: cutOff });
  else if (run.status === 'interrupted') notices.push({ tone: 'bad', text: 'The run was interrupted.' });
  if (run.gate?.line) notices.push({ tone: 'bad', text: `${capital(run.gate.line)}.` });
  else if (run.status === 'failed' && report.totals.failed === 0) {
    notices.push({
      tone: 'bad',
      text: 'The run failed outside of its tests. See Playwright’s output.',
    });
  }
  if (run.configErrors.length > 0) {
    const problems = run.configErrors.join('; ');
    notices.push(
      run.configRevision === null
        ? { tone: 'bad', text: `The config is not valid: ${problems}.` }
        : {
            tone: 'warn',
            text: `An edit of the config was refused: ${problems}. Revision ${run.configRevision} stayed in force.`,
          },
    );
  }
  for (const printed of run.brokerErrors)
    notices.push({ tone: 'warn', text: `The broker ended unexpectedly, and printed: ${printed}` });
  notices.push(
    ...fallbackNotice(report).map((text) => ({ tone: 'warn' as const, text: `${capital(text)}.` })),
  );
  const [foreign] = report.foreignRecords;
  if (foreign)
    notices.push({
      tone: 'warn',
      text: `${capital(foreignText(report.foreignRecords.length, foreign.why))}.`,
    });
  const unhealthy = unhealthyMembers(report, running ? 'now' : 'at the end');
  if (unhealthy) notices.push({ tone: 'warn', text: unhealthy });
  return notices;
}

/** `2 records that no worker of this run wrote were skipped (not JSON)` */
export function foreignText(number: number, why: string): string {
  const [one, many] = [
    'record that no worker of this run wrote was',
    'records that no worker of this run wrote were',
  ];
  return `${counted(number, one, many)} skipped (${why})`;
}

/** Set where the report comes from the journal of a killed run. */
export function cutOffText({ run: { cutOff } }: Report): string | null {
  return cutOff && `The run was killed before it could write its report: ${measuredSoFar(cutOff)}`;
}

export function measuredSoFar({ planned, ended }: NonNullable<Report['run']['cutOff']>): string {
  return `this is its state after ${count(ended)} of ${counted(planned, 'test')}.`;
}

/** `pool "api-dr" was the fallback of 12 tests: pool "api" had no member to lease: ci-1 exhausted until …` */
export function fallbackNotice({ fallbacks }: Report): string[] {
  const lines = fallbacks.slice(0, MAX_FALLBACKS).map(({ fallbackPool, why, tests }) => {
    return `pool "${fallbackPool}" was the fallback of ${counted(tests, 'test')}: ${why}`;
  });
  const cut = fallbacks.length - lines.length;
  return cut > 0 ? [...lines, `and ${counted(cut, 'more reason')} for fallbacks`] : lines;
}

/** Shards of which this report has no record. */
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

function unhealthyMembers(report: Report, when: string): string | null {
  const unhealthy = report.pools.flatMap((pool) =>
    [...pool.endpoints, ...pool.keys]
      .filter(({ state }) => state !== 'healthy')
      .map(({ name, state }) => {
        return `${memberName({ pool: pool.name, endpoint: name, key: null })} (${state})`;
      }),
  );
  if (unhealthy.length === 0) return null;
  const cut = unhealthy.length - MAX_UNHEALTHY;
  const rest = cut > 0 ? ` and ${count(cut)} more` : '';
  return `Not healthy ${when}: ${unhealthy.slice(0, MAX_UNHEALTHY).join(', ')}${rest}.`;
}
