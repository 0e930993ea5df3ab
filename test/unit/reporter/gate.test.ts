import { describe, expect, it } from 'vitest';
import type { Gate, GateRule } from '../../../src/core/types.ts';
import { judgeGate } from '../../../src/reporter/judge/gate.ts';
import { leased, record, reportOf } from './synthetic.ts';

const WARN: Gate = {
  product: 'warn',
  environment: 'warn',
  unknown: 'warn',
  degraded: 'warn',
  shards: 'warn',
};
const some = { verdicts: { product: 1, environment: 2, unknown: 3 }, degraded: 4, missingShards: 5 };
const none = { verdicts: { product: 0, environment: 0, unknown: 0 }, degraded: 0, missingShards: 0 };

describe('the gate', () => {
  it('adds nothing without rules, or where all rules are "warn"', () => {
    expect(judgeGate(null, some)).toBeNull();
    expect(judgeGate(WARN, some)).toEqual({ rules: WARN, failed: false, line: null });
  });

  it.each<[GateRule, string]>([
    [
      'product',
      'the gate failed this run: 1 test had a failed attempt with verdict product (gate.product is "fail")',
    ],
    [
      'environment',
      'the gate failed this run: 2 tests had a failed attempt with verdict environment (gate.environment is "fail")',
    ],
    [
      'unknown',
      'the gate failed this run: 3 tests had a failed attempt of unknown cause (gate.unknown is "fail")',
    ],
    ['degraded', 'the gate failed this run: 4 tests ran on a fallback (gate.degraded is "fail")'],
    ['shards', 'the gate failed this run: 5 shards are missing (gate.shards is "fail")'],
  ])('fails on %s with the reason in one line', (on, line) => {
    const rules = { ...WARN, [on]: 'fail' as const };
    expect(judgeGate(rules, some)).toEqual({ rules, failed: true, line });
    expect(judgeGate(rules, none)?.failed).toBe(false);
  });

  it('uses the strictest of the rules in the records', () => {
    const gates = [{ ...WARN, product: 'fail' as const }, WARN, { ...WARN, degraded: 'fail' as const }];
    const report = reportOf(
      gates.map((gate, index) => ({ title: `t${index}`, results: [{ records: [record({ gate })] }] })),
    );
    expect(report.run.gate?.rules).toEqual({ ...WARN, product: 'fail', degraded: 'fail' });
  });

  it('can fail a passed run and never passes a failed one', () => {
    const flaky = (gate: Gate) => [
      {
        title: 't',
        results: [
          { status: 'failed' as const, records: [leased('api/eu/k', [[0, 'network']], { gate })] },
          {},
        ],
      },
    ];
    const strict = flaky({ ...WARN, environment: 'fail' });
    expect(reportOf(strict, { status: 'passed' }).run.status).toBe('failed');
    expect(reportOf(strict, { status: 'timedout' }).run.status).toBe('timedout');
    expect(reportOf(flaky(WARN), { status: 'failed' }).run.status).toBe('failed');
  });
});
