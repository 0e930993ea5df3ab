import { describe, expect, it } from 'vitest';
import { type CallRequest, recoveries } from '../../../../src/core/verdict/recovery.ts';

const READ = { pool: 'api', key: 'k', method: 'GET', route: 1, identity: 1 };
const SENT = { pool: 'api', key: 'k', method: 'POST', route: 2, identity: 2 };
const ok = { kind: 'ok', status: 200 } as const;
const failed = { kind: 'server', status: 503 } as const;
const refused = { kind: 'rate-limit', status: 429 } as const;

let calls = 0;
const request = (parts: Partial<CallRequest>): CallRequest => ({ ...READ, ...ok, call: calls++, ...parts });
const recovered = (...requests: Partial<CallRequest>[]): (boolean | null)[] =>
  recoveries(requests.map(request));

describe('a fault', () => {
  it('is recovered by a later request of its call', () => {
    expect(recovered({ ...SENT, ...failed, call: -1 }, { ...SENT, call: -1 })).toEqual([true, null]);
    expect(recovered({ ...SENT, ...failed, call: -1 }, { ...SENT, ...failed, call: -1 })).toEqual([
      false,
      false,
    ]);
  });

  it('of a GET is recovered by a later call of its route, whatever its id; by none before, and by no other route', () => {
    expect(recovered(failed, { identity: 9 })).toEqual([true, null]);
    expect(recovered({}, failed)).toEqual([null, false]);
    expect(recovered(failed, { route: 9 })).toEqual([false, null]);
    expect(recovered(failed, { pool: 'other' })).toEqual([false, null]);
  });

  it('of a POST is recovered by the same call made again, not by another call of its route', () => {
    expect(recovered({ ...SENT, ...failed }, SENT)).toEqual([true, null]);
    expect(recovered({ ...SENT, ...failed }, { ...SENT, identity: 9 })).toEqual([false, null]);
  });

  it('that refuses a key is recovered by any later call with that key', () => {
    expect(recovered({ ...SENT, ...refused }, { route: 9, identity: 9 })).toEqual([true, null]);
    expect(recovered({ ...SENT, ...refused }, { route: 9, identity: 9, key: 'other' })).toEqual([
      false,
      null,
    ]);
    expect(recovered({ ...SENT, ...failed }, { route: 9, identity: 9 })).toEqual([false, null]);
  });

  it('is not recovered by an answer of 400 or more', () => {
    expect(recovered(failed, { kind: 'caller', status: 404 })).toEqual([false, null]);
    expect(recovered(failed, { kind: 'ok', status: 404 })).toEqual([false, null]);
    expect(recovered(failed, { kind: 'ok', status: 304 })).toEqual([true, null]);
  });

  it('of a call of which nothing is known is not recovered by another one', () => {
    const unknown = { method: '', route: null, identity: null };
    expect(recovered({ ...unknown, ...failed }, unknown)).toEqual([false, null]);
  });
});
