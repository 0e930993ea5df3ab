import { count, counted, duration, percent, shorten } from '../../shared/format.ts';
import { plainLine } from '../../shared/sanitize.ts';
import type { Report, ReportTest } from '../report/model.ts';
import { headline, noteOfCause, nothingMeasured } from '../page/view-answer.ts';

/** GitHub drops a step's whole summary above 1 MiB, and other steps write to it too. */
const MAX_FAILURES = 50;
const MAX_CAUSES = 20;
const MAX_TEXT = 300;

/** Markdown for a CI job's summary page: the answer, the totals, causes and failures; no passing tests. */
export function stepSummary(report: Report, title: string): string {
  const blocks = [
    `### ${escapeMarkdown(title)}`,
    `**${escapeMarkdown(headline(report))}**`,
    report.run.gate?.line ? `> ${escapeMarkdown(report.run.gate.line)}` : '',
    totalsTable(report),
    causesList(report),
    failuresTable(report),
  ];
  return `${blocks.filter(Boolean).join('\n\n')}\n`;
}

function totalsTable(report: Report): string {
  const nothing = nothingMeasured(report);
  if (nothing !== null) return nothing;
  const { totals } = report;
  const { successRate, avgResponseMs, p95Ms } = totals;
  const cells: [string, string][] = [
    ['Tests', count(totals.tests)],
    ['Passed', count(totals.passed)],
    ['Flaky', count(totals.flaky)],
    ['Failed', count(totals.failed)],
    ['Calls', count(totals.calls)],
    ['Success rate', successRate === null ? 'not measured' : percent(successRate)],
    ['Average', avgResponseMs === null ? 'not measured' : duration(avgResponseMs)],
    ['p95', p95Ms === null ? 'not measured' : duration(p95Ms)],
    ['Waited', duration(totals.waitedMs)],
  ];
  return table(
    cells.map(([name]) => name),
    [cells.map(([, value]) => value)],
    'right',
  );
}

function causesList({ causes }: Report): string {
  const lines = causes.slice(0, MAX_CAUSES).map((cause) => {
    return `- **${cause.verdict}**: ${escapeMarkdown(cause.text)} (${noteOfCause(cause)})`;
  });
  const cut = causes.length - lines.length;
  return [...lines, ...(cut > 0 ? [`- and ${counted(cut, 'more cause')}`] : [])].join('\n');
}

function failuresTable(report: Report): string {
  const failed = report.tests.filter(({ status }) => status === 'unexpected' || status === 'flaky');
  if (failed.length === 0) return '';
  const ordered = [...failed].sort(
    (a, b) => Number(b.status === 'unexpected') - Number(a.status === 'unexpected'),
  );
  const rows = ordered
    .slice(0, MAX_FAILURES)
    .map((test) => [
      test.status === 'flaky' ? 'flaky' : 'failed',
      test.verdict ?? '',
      escapeMarkdown(shorten(test.title, MAX_TEXT)),
      escapeMarkdown(shorten(`${test.file}:${test.line}`, MAX_TEXT)),
      escapeMarkdown(shorten(evidenceOf(test), MAX_TEXT)),
    ]);
  const cut = ordered.length - rows.length;
  const rest = cut > 0 ? `\n\n… and ${counted(cut, 'more test')} in the report.` : '';
  return table(['Outcome', 'Verdict', 'Test', 'File', 'Evidence'], rows, 'left') + rest;
}

function evidenceOf(test: ReportTest): string {
  return (
    test.results.find(({ verdict }) => verdict === test.verdict && verdict !== null)?.evidence.join('; ') ??
    ''
  );
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
