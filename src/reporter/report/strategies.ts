import { isoTime } from '../../shared/format.ts';
import type { ReportStrategy } from './model.ts';
import { periodsOf } from './strategy-periods.ts';
import { rounded, type StrategyCounts } from '../collect/counts.ts';

/** The strategies of a run, grouped by task. */
export function strategiesOf(tallies: readonly StrategyCounts[]): ReportStrategy[] {
  const tasks = [...new Set(tallies.map(({ task }) => task))];
  return tasks.flatMap((task) => {
    const own = tallies.filter((tally) => tally.task === task);
    const periods = periodsOf(own.flatMap(({ name, chosenAt }) => chosenAt.map((at) => ({ at, name }))));
    return own.map((tally) => ({
      ...countsOf(tally),
      estimate: tally.estimate && {
        successRate: tally.estimate.successRate,
        avgMs: rounded(tally.estimate.avgMs),
      },
      periods: (periods.get(tally.name) ?? []).map(({ from, to, runs }) => {
        return { from: isoTime(from), to: isoTime(to), runs };
      }),
    }));
  });
}

/** A run whose end is not the strategy's doing is neither a success nor a failure. */
function countsOf(tally: StrategyCounts): Omit<ReportStrategy, 'estimate' | 'periods'> {
  const { task, name, runs, successes, failures, fallbacks, totalMs } = tally;
  const judged = successes + failures;
  return {
    task,
    name,
    runs,
    successes,
    failures,
    successRate: judged === 0 ? null : successes / judged,
    avgMs: judged === 0 ? null : rounded(totalMs / judged),
    chosen: runs - fallbacks,
    fallbacks,
  };
}
