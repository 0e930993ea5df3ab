import { count, duration, NOT_MEASURED, percent } from '../shared/format.ts';
import type { ReportStrategy } from './model.ts';
import { beliefText } from './view-pools.ts';

export interface StrategyRow {
  readonly task: string;
  /** The rows of one task follow one another: only the first says it. */
  readonly first: boolean;
  readonly name: string;
  readonly runs: string;
  readonly chosen: string;
  readonly fallbacks: string;
  readonly failures: string;
  readonly someFailed: boolean;
  readonly rate: string;
  readonly ratePercent: number;
  readonly belief: string;
  readonly avg: string;
}

const NONE = '–';

/** By task, those chosen most often first. */
export function strategyRows(strategies: readonly ReportStrategy[]): StrategyRow[] {
  const tasks = [...new Set(strategies.map(({ task }) => task))];
  return tasks.flatMap((task) => {
    const own = strategies.filter((strategy) => strategy.task === task);
    return own.sort((a, b) => b.chosen - a.chosen).map((strategy, index) => toRow(strategy, index === 0));
  });
}

function toRow(strategy: ReportStrategy, first: boolean): StrategyRow {
  const { task, name, runs, failures, successRate, avgMs, chosen, fallbacks, belief } = strategy;
  return {
    task,
    first,
    name,
    runs: count(runs),
    chosen: count(chosen),
    fallbacks: count(fallbacks),
    failures: count(failures),
    someFailed: failures > 0,
    rate: successRate === null ? NOT_MEASURED : percent(successRate),
    ratePercent: successRate === null ? 0 : Math.round(successRate * 1000) / 10,
    belief: beliefText(belief),
    avg: avgMs === null ? NONE : duration(avgMs),
  };
}
