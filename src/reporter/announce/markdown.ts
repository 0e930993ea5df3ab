import { count, counted, duration, firstLine, NOT_MEASURED, percent, shorten } from '../../shared/format.ts';
import { plainLine } from '../../shared/sanitize.ts';
import { changeOf } from '../history/outcomes.ts';
import { changeText } from '../history/texts.ts';
import type { RunHistory } from '../history/history-run.ts';
import type { Report, ReportMember, ReportTest } from '../report/model.ts';
import { headline, noteOfCause, nothingMeasured } from '../page/view-answer.ts';
import { waitedText } from '../page/waits.ts';
import { missingShards } from '../page/view-notices.ts';
import { reasonOf } from '../page/view-pools.ts';

/** A comment of GitHub holds 65,536 characters, a step's summary 1 MiB together with those of other steps. */
const MAX_LENGTH = 60_000;
const MAX_FAILURES = 50;
const MAX_CAUSES = 20;
const MAX_MEMBERS = 20;
const MAX_TEXT = 300;

/** Markdown for a CI job's page or a pull request: the answer, the totals, causes, failures and unhealthy members. */
export function markdown(report: Report, title: string, history: RunHistory | null = null): string {
  const blocks = [
    `### ${escapeMarkdown(title)}`,
    `**${escapeMarkdown(headline(report))}**`,
    placeLine(report),
    ...[missingShards(report), report.run.gate?.line].map((line) =>
      line ? `> ${escapeMarkdown(line)}` : '',
    ),
    totalsTable(report),
    causesList(report),
    membersTable(report),
  ].filter(Boolean);
  const length = blocks.join('\n\n').length;
  const failures = failuresTable(report, history, MAX_LENGTH - length);
  return `${[...blocks, failures].filter(Boolean).join('\n\n')}\n`;
}

/** `main · 0a1b2c3d4e · [CI run](…)` */
function placeLine({ run }: Report): string {
  const { branch, commit } = run.ci ?? run.git ?? { branch: null, commit: null };
  const parts = [
    branch === null ? '' : escapeMarkdown(branch),
    commit === null ? '' : escapeMarkdown(commit.slice(0, 10)),
    run.links.ci === null ? '' : `[CI run](${markdownAddress(run.links.ci)})`,
  ];
  return parts.filter(Boolean).join(' · ');
}

/** The address was parsed, so that nothing but brackets could end the link. */
function markdownAddress(address: string): string {
  return new URL(address).href.replaceAll('(', '%28').replaceAll(')', '%29');
}

function totalsTable(report: Report): string {
  const { totals } = report;
  const nothing = nothingMeasured(report);
  const { successRate, avgResponseMs, p95Ms } = totals;
  const orNot = (value: number | null, format: (value: number) => string): string => {
    return value === null ? NOT_MEASURED : format(value);
  };
  const cells: [string, string][] = [
    ['Tests', count(totals.tests)],
    ['Passed', count(totals.passed)],
    ['Flaky', count(totals.flaky)],
    ['Failed', count(totals.failed)],
    ['Calls', count(totals.calls)],
    ['Success rate', orNot(successRate, percent)],
    ['Average', orNot(avgResponseMs, duration)],
    ['p95', orNot(p95Ms, duration)],
    [
      'Waited',
      totals.waitedMs === 0 ? duration(0) : `${duration(totals.waitedMs)} (${waitedText(totals.waited)})`,
    ],
  ];
  const shown = nothing === null ? cells : cells.slice(0, 4);
  const numbers = table(
    shown.map(([name]) => name),
    [shown.map(([, value]) => value)],
    'right',
  );
  return nothing === null ? numbers : `${numbers}\n\n${nothing}`;
}

function causesList({ causes }: Report): string {
  const lines = causes.slice(0, MAX_CAUSES).map((cause) => {
    return `- **${cause.verdict}**: ${escapeMarkdown(shorten(cause.text, MAX_TEXT))} (${noteOfCause(cause)})`;
  });
  const cut = causes.length - lines.length;
  return [...lines, ...(cut > 0 ? [`- and ${counted(cut, 'more cause')}`] : [])].join('\n');
}

function failuresTable(report: Report, history: RunHistory | null, room: number): string {
  const failed = report.tests.filter(({ status }) => status === 'unexpected' || status === 'flaky');
  if (failed.length === 0) return '';
  const ordered = [...failed].sort(
    (a, b) => Number(b.status === 'unexpected') - Number(a.status === 'unexpected'),
  );
  const rows = ordered.slice(0, MAX_FAILURES).map((test) => failureRow(test, history));
  const head = ['Outcome', 'Verdict', 'Test', 'Place', 'Error', 'Evidence'];
  let shown = rows.length;
  while (shown > 1 && table(head, rows.slice(0, shown), 'left').length > room) shown = Math.floor(shown / 2);
  const cut = ordered.length - shown;
  const rest = cut > 0 ? `\n\n… and ${counted(cut, 'more test')} in the report.` : '';
  return table(head, rows.slice(0, shown), 'left') + rest;
}

function failureRow(test: ReportTest, history: RunHistory | null): string[] {
  const outcome = test.status === 'flaky' ? 'flaky' : 'failed';
  const change = changeOf(history?.outcomes.get(test.id) ?? '');
  const deciding = test.results.find(({ verdict }) => verdict !== null && verdict === test.verdict);
  const error = deciding?.errors[0];
  const place = error && error.file !== null ? `${error.file}:${error.line}` : `${test.file}:${test.line}`;
  const cell = (text: string): string => escapeMarkdown(shorten(text, MAX_TEXT));
  return [
    change === null || history === null ? outcome : `${outcome}, ${changeText(change, history)}`,
    test.verdict ?? '',
    cell(test.title),
    cell(place),
    cell(firstLine(error?.message ?? '')),
    cell(deciding?.evidence.join('; ') ?? ''),
  ];
}

function membersTable(report: Report): string {
  const rows = report.pools.flatMap(({ name, endpoints, keys }) => [
    ...endpoints.map((member) => memberRow(report, `endpoint ${name}/${member.name}`, member)),
    ...keys.map((member) => memberRow(report, `key ${name}/${member.name}`, member)),
  ]);
  const unhealthy = rows.filter((row) => row !== null);
  if (unhealthy.length === 0) return '';
  const cut = unhealthy.length - MAX_MEMBERS;
  const rest = cut > 0 ? `\n\n… and ${counted(cut, 'more member')} not healthy.` : '';
  return table(['Not healthy at the end', 'State', 'Why'], unhealthy.slice(0, MAX_MEMBERS), 'left') + rest;
}

function memberRow({ run }: Report, name: string, member: ReportMember): string[] | null {
  if (member.state === 'healthy') return null;
  const why = reasonOf(member, run.startedAt) ?? '';
  return [name, member.state, why].map((text) => escapeMarkdown(shorten(text, MAX_TEXT)));
}

function table(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  align: 'left' | 'right',
): string {
  const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [row(head), row(head.map(() => (align === 'right' ? '---:' : '---'))), ...rows.map(row)].join('\n');
}

/** Titles are untrusted: no table, markup, HTML, mention, link or line break of theirs gets through. */
function escapeMarkdown(text: string): string {
  return plainLine(text)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll(/[\\`*_[\]|~#@$]|:(?=\/\/)|\bw(?=ww\.)/gi, (sign) => `&#${sign.charCodeAt(0)};`);
}
