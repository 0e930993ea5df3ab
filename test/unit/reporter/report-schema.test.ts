import { readFileSync } from 'node:fs';
import { Ajv } from 'ajv';
import { describe, expect, it } from 'vitest';
import { leased, record, reportOf, START } from './synthetic.ts';

const SCHEMA = JSON.parse(
  readFileSync(new URL('../../../report.schema.json', import.meta.url), 'utf8'),
) as object;
const ISO = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

/** As published, and with no field allowed that it does not name. */
const validators = [SCHEMA, closed(SCHEMA)].map((schema) => {
  return new Ajv({ allErrors: true, formats: { 'date-time': ISO } }).compile(schema as object);
});

function closed(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(closed);
  if (typeof schema !== 'object' || schema === null) return schema;
  const parts = Object.entries(schema).map(([name, part]) => [name, closed(part)] as const);
  const isObject = 'properties' in schema && !('additionalProperties' in schema);
  return { ...Object.fromEntries(parts), ...(isObject ? { additionalProperties: false } : {}) };
}

const who = { pool: 'api', endpoint: 'eu', key: 'ci-1' };
const full = reportOf([
  {
    title: 'a',
    results: [
      {
        status: 'failed',
        records: [
          leased('api/eu/ci-1', [[0, 'server', 503]], {
            memberList: [
              {
                name: 'api',
                endpoints: [{ name: 'eu', url: 'https://eu.test' }],
                keys: [{ name: 'ci-1', fingerprint: '0123abcd' }],
              },
            ],
            errors: [{ at: START, lease: 0, kind: 'server', status: 503, message: 'm' }],
            strategies: [{ task: 'login', name: 'api', ok: true, durationMs: 5, fallback: false }],
            transitions: [
              {
                ...who,
                key: null,
                seq: 1,
                broker: 'b',
                at: START,
                from: 'healthy',
                to: 'ejected',
                why: 'w',
                until: START,
              },
            ],
            gate: { product: 'warn', environment: 'fail', unknown: 'warn', degraded: 'warn', shards: 'warn' },
          }),
          record(),
        ],
      },
    ],
  },
  { title: 'never ran', results: [] },
]);

describe('report.schema.json', () => {
  it.each([
    ['a report with everything', full],
    ['an empty one', reportOf([])],
    [
      'one of a run that was cut off',
      reportOf([], { cutOff: { planned: 3, ended: 1 }, status: 'interrupted' }),
    ],
  ])('accepts %s with all its fields', (_, report) => {
    for (const validate of validators) {
      validate(JSON.parse(JSON.stringify(report)));
      expect(validate.errors).toBeNull();
    }
  });

  it('rejects what is not a report', () => {
    const [validate] = validators;
    const { totals: _, ...rest } = full;
    expect(validate!(rest)).toBe(false);
    expect(validate!({ ...full, totals: { ...full.totals, successRate: 1.2 } })).toBe(false);
    expect(validate!({ ...full, run: { ...full.run, startedAt: 'yesterday' } })).toBe(false);
    expect(validate!({ ...full, errors: [{ ...full.errors[0], kind: 'bad' }] })).toBe(false);
  });
});
