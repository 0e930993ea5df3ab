import { describe, expect, it } from 'vitest';
import { judge, judgeTest, type SeenRequest } from '../../../src/core/blame/verdict.ts';

const AT = Date.parse('2026-01-01T02:10:00Z');
const seen = (
  kind: SeenRequest['kind'],
  status: number | null,
  more: Partial<SeenRequest> = {},
): SeenRequest => ({
  pool: 'api',
  endpoint: 'eu',
  key: 'ci-1',
  kind,
  status,
  at: AT,
  ...more,
});

describe('a failed attempt of a test', () => {
  it.each([
    ['with clean traffic is the product’s', [seen('ok', 200), seen('caller', 404)], 'product'],
    [
      'with a refused connection is the environment’s',
      [seen('ok', 200), seen('network', null)],
      'environment',
    ],
    ['with a throttled key is the environment’s', [seen('rate-limit', 429)], 'environment'],
    ['without traffic is unknown', [], 'unknown'],
  ] as const)('%s', (_name, requests, verdict) => {
    expect(judge(requests).verdict).toBe(verdict);
  });

  it('whose server error every endpoint gives is the product’s', () => {
    const judgement = judge([seen('server', 500), seen('server', 500, { endpoint: 'us' })], {
      seenEverywhere: () => true,
    });
    expect(judgement).toEqual({
      verdict: 'product',
      evidence: [
        'api/eu/ci-1: server 500, 1×, 02:10:00–02:10:00',
        'api/us/ci-1: server 500, 1×, 02:10:00–02:10:00',
        'the same answer at every endpoint that was asked: the product gives it',
      ],
    });
  });

  it('of a dead worker is unknown', () => {
    expect(judge([seen('ok', 200)], { crashed: true }).verdict).toBe('unknown');
  });

  it('has evidence that names member, fault, count and window', () => {
    const faults = [seen('timeout', null), seen('timeout', null, { at: AT + 17_000 })];
    expect(judge(faults).evidence).toEqual(['api/eu/ci-1: timeout, 2×, 02:10:00–02:10:17']);
  });
});

describe('a test', () => {
  it.each([
    [['product', 'environment', 'environment'], 'product'],
    [['environment', 'unknown'], 'environment'],
    [['unknown', null], 'unknown'],
    [[null], null],
    [[], null],
  ] as const)('with attempts %j is %s', (verdicts, verdict) => {
    expect(judgeTest(verdicts)).toBe(verdict);
  });
});
