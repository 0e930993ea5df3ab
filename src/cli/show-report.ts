import { existsSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { GembaError } from '../core/errors.ts';
import { historyOf } from '../reporter/history/history-file.ts';
import type { RunHistory } from '../reporter/history/history-run.ts';
import { goesOn, journalsIn } from '../reporter/collect/journal-files.ts';
import type { Report, RunStatus } from '../reporter/report/model.ts';
import { openFile } from '../reporter/terminal/open.ts';
import { packageVersion } from '../reporter/options.ts';
import { DATA, PAGE, writeData, writePage } from '../reporter/output.ts';
import { capital, count, counted } from '../shared/format.ts';
import { plainLine } from '../shared/sanitize.ts';
import { summaryText } from '../reporter/terminal/summary.ts';
import { measuredSoFar, missingShards } from '../reporter/page/view-notices.ts';
import type { Command } from './command.ts';
import { linkTo, type Terminal } from './terminal.ts';

const TITLE = 'Gemba report';
const ENDED: Record<Exclude<RunStatus, 'passed'>, string> = {
  failed: 'failed',
  timedout: 'timed out',
  interrupted: 'was interrupted',
};

/** Shows the report of a run, also of a killed one; with `--gate`, only checks the gate. */
export const showReport: Command = async (args, terminal) => {
  const { flags, operands } = args;
  const given = operands[0] ?? (terminal.env['GEMBA_REPORT_DIR'] || nearestReport(terminal.folder));
  // The operand may be the page.
  const folder = resolve(terminal.folder, basename(given) === PAGE ? dirname(given) : given);
  const recovered = await recover(folder, terminal);
  const report = recovered?.report ?? readReport(folder);
  if (flags.has('gate')) return intact(folder, () => judge(report, terminal));
  if (flags.has('markdown')) {
    const { markdown } = await import('../reporter/announce/markdown.ts');
    const history = await historyIn(folder, report);
    terminal.print(await intact(folder, () => markdown(report, recovered?.title ?? TITLE, history)));
    return 0;
  }
  const page = join(folder, PAGE);
  const hasPage = !recovered?.goesOn;
  if (hasPage && !existsSync(page)) {
    const history = await historyIn(folder, report);
    await intact(folder, () => writePage(folder, report, TITLE, history));
  }
  const shown = hasPage ? linkTo(page, terminal) : null;
  const summary = await intact(folder, () => summaryText(report, shown));
  terminal.print(`${summary}\n`);
  if (terminal.interactive && hasPage)
    openFile(page, (why) => terminal.warn(`could not open ${page}: ${why}\n`));
  return 0;
};

/** The report of the project that a folder belongs to: the nearest one upward, up to the repository's folder. */
function nearestReport(from: string): string {
  for (let folder = from; ; folder = dirname(folder)) {
    const report = join(folder, 'gemba-report');
    if (existsSync(report)) return report;
    if (existsSync(join(folder, '.git')) || dirname(folder) === folder) return join(from, 'gemba-report');
  }
}

interface Recovered {
  readonly report: Report;
  readonly title: string;
  /** The run will write its page; until then the folder has an earlier run's. */
  readonly goesOn: boolean;
}

/** Prints the result in one line. A failed run stays failed, whatever the gate says. */
function judge(report: Report, terminal: Terminal): number {
  const { run, totals } = report;
  if (run.status === 'passed') {
    terminal.print(`Gemba gate: ${['passed', missingShards(report)].filter(Boolean).join('. ')}\n`);
    return 0;
  }
  const failed = totals.failed === 0 ? '' : ` (${count(totals.failed)} of ${counted(totals.tests, 'test')})`;
  terminal.print(`Gemba gate: ${plainLine(run.gate?.line ?? `the run ${ENDED[run.status]}${failed}`)}\n`);
  return 1;
}

/** The report of a run that has not written it, from its journal; null where there is a later report. */
async function recover(folder: string, terminal: Terminal): Promise<Recovered | null> {
  const [journal] = existsSync(folder) ? journalsIn(folder) : [];
  if (journal === undefined || modified(join(folder, DATA)) > modified(journal)) return null;
  const { reportFromJournal } = await import('../reporter/collect/journal-read.ts');
  const read = await intact(folder, () => reportFromJournal(journal, packageVersion()));
  if (!read) return null;
  const { report, title } = read;
  if (goesOn(journal)) {
    terminal.warn(
      `The run is not over. ${capital(measuredSoFar(report.run.cutOff!))} Its page is written when it ends.\n`,
    );
    // The warning says it; the run was not killed.
    return { report: { ...report, run: { ...report.run, cutOff: null } }, title, goesOn: true };
  }
  terminal.warn(`Made from ${journal}.\n`);
  const history = await historyIn(folder, report);
  await intact(folder, async () => {
    await writeData(folder, report);
    await writePage(folder, report, title, history);
  });
  return { report, title, goesOn: false };
}

/** What the report is compared with, where the history is beside it. */
function historyIn(folder: string, report: Report): Promise<RunHistory | null> {
  return intact(folder, () => historyOf(join(folder, 'history.json'), report)).catch(() => null);
}

function readReport(folder: string): Report {
  const file = join(folder, DATA);
  if (!existsSync(file)) {
    throw new GembaError(
      'GEMBA_REPORT_NOT_FOUND',
      `There is no report in ${folder}: neither ${DATA} nor the journal of a killed run.\n` +
        'Name its folder: gemba show-report DIR. The reporter writes it: reporter: [["gemba-agent/reporter"]].',
    );
  }
  const report = parse(file);
  if (report) return report;
  throw unreadable(folder);
}

function parse(file: string): Report | null {
  if (!statSync(file).isFile()) return null;
  try {
    const report = JSON.parse(readFileSync(file, 'utf8')) as Report | null;
    return report?.schema === 'gemba-report/1' ? report : null;
  } catch {
    return null;
  }
}

/** A file of unknown origin may lack any field: that is not a crash of ours. */
async function intact<T>(folder: string, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof TypeError || error instanceof RangeError) throw unreadable(folder, error);
    throw error;
  }
}

function unreadable(folder: string, cause?: unknown): GembaError {
  const message = `${join(folder, DATA)} is not a report that this version of gemba-agent can read.`;
  return new GembaError('GEMBA_REPORT_NOT_FOUND', message, { cause });
}

function modified(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}
