import { count, counted, duration, NOT_MEASURED, percent, timeWindow } from '../../shared/format.ts';
import type { ReportStrategy } from '../report/model.ts';
import { estimateText } from './member-rows.ts';

export interface StrategyRow {
  readonly task: string;
  /** The first row of its task shows the task's name. */
  readonly first: boolean;
  readonly name: string;
  readonly runs: string;
  readonly chosen: string;
  readonly fallbacks: string;
  readonly failures: string;
  readonly someFailed: boolean;
  readonly rate: string;
  readonly ratePercent: number;
  readonly estimate: string;
  /** When it was mostly the first choice: `02:00–02:17, 02:31–02:40` */
  readonly when: string;
  readonly avg: string;
}

const NONE = '–';
const MAX_PERIODS = 3;

/** By task, those chosen most often first. */
export function strategyRows(strategies: readonly ReportStrategy[]): StrategyRow[] {
  const tasks = [...new Set(strategies.map(({ task }) => task))];
  return tasks.flatMap((task) => {
    const own = strategies.filter((strategy) => strategy.task === task);
    return own.sort((a, b) => b.chosen - a.chosen).map((strategy, index) => toRow(strategy, index === 0));
  });
}

function toRow(strategy: ReportStrategy, first: boolean): StrategyRow {
  const { task, name, runs, failures, successRate, avgMs, chosen, fallbacks, estimate, periods } = strategy;
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
    estimate: estimateText(estimate),
    when: periodsText(periods ?? []),
    avg: avgMs === null ? NONE : duration(avgMs),
  };
}

function periodsText(periods: NonNullable<ReportStrategy['periods']>): string {
  const parts = periods
    .slice(0, MAX_PERIODS)
    .map(({ from, to }) => timeWindow(Date.parse(from), Date.parse(to)));
  if (periods.length > MAX_PERIODS) parts.push(`and ${counted(periods.length - MAX_PERIODS, 'more period')}`);
  return parts.length === 0 ? '' : `mostly first ${parts.join(', ')}`;
}
