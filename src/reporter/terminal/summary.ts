import { VERDICTS } from '../../core/types.ts';
import { count, counted, duration, percent } from '../../shared/format.ts';
import { plainLine } from '../../shared/sanitize.ts';
import type { Report, ReportMember } from '../report/model.ts';
import { noteOfCause } from '../page/view-answer.ts';
import { cutOffText, missingShards, fallbackNotice } from '../page/view-notices.ts';
import { reasonOf } from '../page/view-pools.ts';
import { nextLines } from './next-steps.ts';

/** Where a run had no configuration. */
export const NO_CONFIG_HINT =
  'there is no gemba.config.json, so nothing was leased; create one: npx gemba init';

const MAX_CAUSES = 8;
const MAX_MEMBERS = 8;
const MAX_PINS = 8;

/**
 * The terminal's summary: one line that begins `Gemba:`, details below it, and at the end what to do next. `hint`: said
 * last of all.
 */
export function summaryText(report: Report, reportPath: string | null, hint: string | null = null): string {
  const details = [
    missingShards(report),
    cutOffText(report),
    ...causeLines(report),
    ...fallbackNotice(report),
    ...pinLines(report),
    ...memberLines(report),
    brokerEnded(report),
    refusedEdit(report),
    report.run.gate?.line ?? null,
    ...nextLines(report),
    reportPath === null ? null : `Report: ${reportPath}`,
    hint,
  ].filter((line) => line !== null);
  return [summaryLine(report), ...details.map((line) => `  ${plainLine(line)}`)].join('\n');
}

/** `Gemba: 57 of 60 passed · 128 calls, 96.9 % ok, avg 41 ms, p95 120 ms · product 1, environment 2 · 1 degraded` */
export function summaryLine(report: Report): string {
  const { totals, verdicts } = report;
  const judged = VERDICTS.filter((verdict) => verdicts[verdict] > 0);
  const parts = [
    testsPart(report),
    measuredPart(report),
    judged.map((verdict) => `${verdict} ${count(verdicts[verdict])}`).join(', '),
    totals.degraded > 0 ? `${count(totals.degraded)} degraded` : '',
    totals.pinned > 0 ? `${count(totals.pinned)} pinned` : '',
  ];
  return `Gemba: ${parts.filter(Boolean).join(' · ')}`;
}

/** `40 tests pinned to eu by baseURL; remove use.baseURL to use every endpoint` */
function pinLines({ run }: Report): string[] {
  return run.pins.slice(0, MAX_PINS).map(({ pool, to, by, tests }) => {
    if (by === 'outside')
      return `${counted(tests, 'test')} pinned to ${to} by baseURL, outside pool "${pool}": they get no key of it`;
    const option = by === 'gembaEndpoint' ? by : `use.${by}`;
    return `${counted(tests, 'test')} pinned to ${to} by ${by}; remove ${option} to use every endpoint`;
  });
}

/** What they printed was shown when that happened. */
function brokerEnded({ run }: Report): string | null {
  const times = run.brokerErrors.length;
  return times === 0
    ? null
    : `the broker ended unexpectedly ${counted(times, 'time')}; what it printed is in the report`;
}

/** Its problems were printed when the edit was made. */
function refusedEdit({ run }: Report): string | null {
  const [first, ...others] = run.configErrors;
  if (first === undefined) return null;
  const more = others.length === 0 ? '' : ` and ${counted(others.length, 'more problem')}`;
  if (run.configRevision === null) return `the config is not valid (${placeOf(first)}${more})`;
  return `the last edit of the config is not in force (${placeOf(first)}${more}); revision ${run.configRevision} is`;
}

/** `file:line:column  path: message` → `file:line:column` */
function placeOf(problem: string): string {
  return problem.split('  ')[0] ?? problem;
}

function testsPart({ totals }: Report): string {
  const { tests, passed, flaky, skipped, interrupted } = totals;
  const parts = [`${count(passed)} of ${count(tests)} passed`];
  if (flaky > 0) parts.push(`${count(flaky)} flaky`);
  if (skipped > 0) parts.push(`${count(skipped)} skipped`);
  if (interrupted > 0) parts.push(`${count(interrupted)} interrupted`);
  return parts.join(', ');
}

function measuredPart({ totals }: Report): string {
  const { requests, calls, successRate, avgResponseMs, p95Ms } = totals;
  if (requests === 0 || successRate === null) return 'not measured';
  const parts = [counted(calls, 'call'), `${percent(successRate)} ok`];
  if (avgResponseMs !== null) parts.push(`avg ${duration(avgResponseMs)}`);
  if (p95Ms !== null) parts.push(`p95 ${duration(p95Ms)}`);
  return parts.join(', ');
}

/** `environment: endpoint api/eu refused connections (17 tests, 02:10–02:27)` */
function causeLines(report: Report): string[] {
  const lines = report.causes
    .slice(0, MAX_CAUSES)
    .map((cause) => `${cause.verdict}: ${cause.text} (${noteOfCause(cause)})`);
  const cut = report.causes.length - lines.length;
  return cut > 0 ? [...lines, `and ${counted(cut, 'more cause')}`] : lines;
}

function memberLines(report: Report): string[] {
  const lines = report.pools.flatMap((pool) => [
    ...pool.endpoints
      .filter(isUnhealthy)
      .map((member) => memberLine(report, `endpoint ${pool.name}`, member)),
    ...pool.keys.filter(isUnhealthy).map((member) => memberLine(report, `key ${pool.name}`, member)),
  ]);
  const cut = lines.length - MAX_MEMBERS;
  if (cut <= 0) return lines;
  return [...lines.slice(0, MAX_MEMBERS), `and ${counted(cut, 'more member')} not healthy`];
}

function memberLine(report: Report, pool: string, member: ReportMember): string {
  const reason = reasonOf(member, report.run.startedAt);
  return `${pool}/${member.name} is ${member.state}${reason === null ? '' : `: ${reason}`}`;
}

function isUnhealthy(member: ReportMember): boolean {
  return member.state !== 'healthy';
}
