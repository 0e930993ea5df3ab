import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../../src/core/limits.ts';
import { checkLeaseOptions, checkNeed, checkOutcome } from '../../../src/shared/arguments.ts';

const LONG = 'x'.repeat(LIMITS.name + 1);

describe('arguments of gemba.lease', () => {
  it.each([
    {},
    { pool: 'api', need: { role: 'admin' }, timeoutMs: 0 },
    { need: undefined, timeoutMs: LIMITS.durationMs },
  ])('accepts %j', (options) => {
    expect(() => checkLeaseOptions(options, 'gemba.lease()')).not.toThrow();
  });

  it.each([
    [{ timeoutMs: Infinity }, '`timeoutMs: Infinity`'],
    [{ timeoutMs: NaN }, '`timeoutMs: NaN`'],
    [{ timeoutMs: -1 }, '`timeoutMs: -1`'],
    [{ timeoutMs: '5s' }, '`timeoutMs: "5s"`'],
    [{ pool: 7 }, '`pool: 7`'],
    [{ need: { level: 3 } }, '`need.level: 3`'],
    [{ need: 'admin' }, '`need: "admin"`'],
    [{ need: ['admin'] }, '`need: object`'],
    [{ need: { role: LONG } }, 'more than 200 characters'],
    [{ need: { [LONG]: 'x' } }, 'more than 200 characters'],
    [null, 'got null'],
  ])('refuses %j', (options, said) => {
    const check = (): void => checkLeaseOptions(options, 'gemba.lease()');
    expect(check).toThrow(`gemba.lease() got`);
    expect(check).toThrow(said);
    expect(check).toThrow(expect.objectContaining({ code: 'GEMBA_USAGE' }));
  });

  it('quotes no control characters of a label', () => {
    expect(() => checkNeed({ '\u001b[2J': 1 }, '`gembaNeed`')).toThrow(/^[^\u001b]*$/);
  });
});

describe('arguments of gemba.record', () => {
  it.each([{ kind: 'ok' }, { kind: 'server', status: 503, durationMs: 0.5, message: 'x'.repeat(100_000) }])(
    'accepts a $kind',
    (outcome) => {
      expect(() => checkOutcome(outcome, 'gemba.record()')).not.toThrow();
    },
  );

  it.each([
    [{ kind: 'bogus' }, '`kind: "bogus"`'],
    [{}, '`kind: undefined`'],
    [{ kind: 'ok', durationMs: -1 }, '`durationMs: -1`'],
    [{ kind: 'ok', durationMs: NaN }, '`durationMs: NaN`'],
    [{ kind: 'server', status: 500.5 }, '`status: 500.5`'],
    [{ kind: 'server', status: '503' }, '`status: "503"`'],
    [{ kind: 'server', status: 0 }, '`status: 0`'],
    [{ kind: 'ok', message: 7 }, '`message: 7`'],
    [undefined, 'got undefined'],
  ])('refuses %j', (outcome, said) => {
    const check = (): void => checkOutcome(outcome, 'gemba.record()');
    expect(check).toThrow(said);
    expect(check).toThrow(expect.objectContaining({ code: 'GEMBA_USAGE' }));
  });
});
