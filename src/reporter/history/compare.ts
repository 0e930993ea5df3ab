import { NOT_RUN, outcomeLetter } from './outcomes.ts';
import { testName } from './history.ts';
import type { History, HistoryRun, RunHistory } from './history-run.ts';
import type { Report } from '../report/model.ts';

/** Outcomes of a test that are shown. */
const MAX_OUTCOMES = 20;
const USUAL_DEFAULTS: readonly string[] = ['main', 'master'];

/** This run, as it would stand in the history, beside earlier ones. `defaultBranch`: as CI names it. */
export function compareRun(
  report: Report,
  history: History,
  own: HistoryRun,
  defaultBranch: string | null = null,
): RunHistory {
  const earlier = history.runs.filter(({ startedAt }) => startedAt < own.startedAt);
  const branch = comparedBranch(earlier, own.branch, defaultBranch);
  const runs = branch === undefined ? earlier : earlier.filter((run) => run.branch === branch);
  const columns = runs.slice(1 - MAX_OUTCOMES).map((run) => history.runs.indexOf(run));
  const outcomes = report.tests.map((test) => {
    const letters = history.tests.get(testName(test.id)) ?? '';
    const before = columns.map((column) => letters[column] ?? NOT_RUN).join('');
    return [test.id, before + outcomeLetter(test)] as const;
  });
  return { runs, own: null, outcomes: new Map(outcomes), comparedWith: branch ?? null };
}

/** Undefined: all runs. */
function comparedBranch(
  runs: readonly HistoryRun[],
  own: string | null,
  defaultBranch: string | null,
): string | null | undefined {
  const candidates = [own, ...(defaultBranch === null ? [] : [defaultBranch]), ...USUAL_DEFAULTS];
  return candidates.find((branch) => runs.some((run) => run.branch === branch));
}
