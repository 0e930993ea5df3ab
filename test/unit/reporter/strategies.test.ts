import { describe, expect, it } from 'vitest';
import { periodsOf } from '../../../src/reporter/report/strategy-periods.ts';
import { record, reportOf } from './synthetic.ts';

const START = Date.UTC(2026, 0, 1);

function run(name: string, ok: boolean | null, more: { at?: number; fallback?: boolean } = {}): object {
  return { at: START, task: 'login', name, ok, durationMs: 100, fallback: false, ...more };
}

function strategiesOf(...records: object[]): unknown {
  const tests = records.map((more, index) => ({
    title: `t${index}`,
    results: [{ records: [record(more)] }],
  }));
  return reportOf(tests).strategies;
}

describe('the strategies of a report', () => {
  it('exclude runs without a result from rate and time', () => {
    const strategies = [run('api', true), run('api', null), run('api', false), run('form', null)];
    expect(strategiesOf({ strategies })).toMatchObject([
      { name: 'api', runs: 3, successes: 1, failures: 1, successRate: 0.5, avgMs: 100, chosen: 3 },
      { name: 'form', runs: 1, successes: 0, failures: 0, successRate: null, avgMs: null, chosen: 1 },
    ]);
  });

  it('have the last estimate, also of a strategy that did not run', () => {
    const estimate = (name: string, at: number, successRate: number): object => {
      return { task: 'login', name, at, successRate, avgMs: 20 };
    };
    const told = strategiesOf(
      {
        strategies: [run('form', true)],
        strategyEstimates: [estimate('api', 2, 0.1), estimate('form', 2, 1)],
      },
      { strategyEstimates: [estimate('api', 1, 0.9)] },
    );
    expect(told).toMatchObject([
      { name: 'form', runs: 1, estimate: { successRate: 1, avgMs: 20 } },
      { name: 'api', runs: 0, successRate: null, estimate: { successRate: 0.1, avgMs: 20 } },
    ]);
  });

  it('have the periods in which each was mostly the first choice', () => {
    const strategies = 'aaaaaaffffaffff'
      .split('')
      .map((name, index) => run(name, true, { at: START + index * 1000 }));
    const seconds = (count: number): string => new Date(START + count * 1000).toISOString();
    expect(strategiesOf({ strategies: [...strategies, run('f', true, { fallback: true })] })).toMatchObject([
      { name: 'a', periods: [{ from: seconds(0), to: seconds(5), runs: 6 }] },
      { name: 'f', periods: [{ from: seconds(6), to: seconds(14), runs: 9 }] },
    ]);
  });
});

describe('periods', () => {
  it('are in order of time, whatever the order of the records', () => {
    const choices = 'aaaaabbbbbaaaaa'.split('').map((name, at) => ({ at, name }));
    const shuffled = [
      ...choices.filter((_, index) => index % 2 === 1),
      ...choices.filter((_, index) => index % 2 === 0),
    ];
    expect(Object.fromEntries(periodsOf(shuffled))).toEqual({
      a: [
        { from: 0, to: 4, runs: 5 },
        { from: 10, to: 14, runs: 5 },
      ],
      b: [{ from: 5, to: 9, runs: 5 }],
    });
  });

  it('are empty without choices, and one for one choice', () => {
    expect(periodsOf([]).size).toBe(0);
    expect(periodsOf([{ at: 5, name: 'a' }]).get('a')).toEqual([{ from: 5, to: 5, runs: 1 }]);
  });
});
