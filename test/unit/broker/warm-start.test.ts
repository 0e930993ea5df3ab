import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { contextOf } from '../../../src/broker/context.ts';
import { loadState, saveState } from '../../../src/broker/persist.ts';
import { seededRandom } from '../../../src/core/clock.ts';
import { pickGrant } from '../../../src/core/leases/selection.ts';
import { resolvePool } from '../../../src/core/resolved-pool.ts';
import { type Context, newPoolState, type PoolState } from '../../../src/core/state.ts';
import { PoolRouting } from '../../../src/router/routing.ts';
import { endpoint, poolSpec } from '../core/world.ts';

const NONE: ReadonlySet<string> = new Set();
const SPEC = poolSpec({
  routing: 'success-rate',
  endpoints: [endpoint('slow'), endpoint('fast'), endpoint('bad')],
});

interface Broker {
  readonly routing: PoolRouting;
  readonly context: Context;
}

function brokerAt(now: number): Broker {
  const random = seededRandom('warm');
  const routing = new PoolRouting(random);
  return { routing, context: contextOf({ now: () => now, random, routing }) };
}

/** A pool whose members have been used a lot. */
function taught({ context }: Broker): PoolState {
  const pool = newPoolState('api');
  for (const { member } of resolvePool(pool, SPEC, context).endpoints) {
    for (let requestPermit = 0; requestPermit < 30; requestPermit++) {
      const learned = { ok: member.name !== 'bad', durationMs: member.name === 'slow' ? 900 : 90 };
      const more = { retryAfterMs: null, request: 1, inFlight: 0 };
      context.observe(member.routerHandle, { ...learned, ...more }, context.now);
    }
  }
  return pool;
}

/** Writes the file as a broker does. */
function save(file: string, before: Broker): void {
  const { routing, context } = before;
  saveState(file, [taught(before)], new Map(), routing, context);
}

describe('a new broker', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'gemba-warm-'));
  const file = path.join(folder, 'state.json');
  afterEach(() => rmSync(file, { force: true }));
  afterAll(() => rmSync(folder, { recursive: true }));

  const first = (pools: Map<string, PoolState>, { context }: Broker): string | undefined => {
    const pool = pools.get('api') ?? newPoolState('api');
    const wish = { spec: SPEC, need: {}, onlyEndpoint: null, resets: false, forCall: false };
    const wanted = { ...wish, exclude: NONE, prefer: NONE, avoid: NONE, deadline: Infinity };
    return pickGrant(pool, wanted, context)?.endpoint?.name;
  };

  it('begins with what the one before learned', () => {
    const before = brokerAt(1_000_000);
    save(file, before);
    const next = brokerAt(1_060_000);
    expect(first(loadState(file, next.context, next.routing), next)).toBe('fast');
  });

  it('takes nothing from records that are not of their shape', () => {
    const before = brokerAt(1_000_000);
    save(file, before);
    const text = readFileSync(file, 'utf8').replaceAll('"good":', '"better":');
    writeFileSync(file, text);
    const next = brokerAt(1_060_000);
    const pools = loadState(file, next.context, next.routing);
    const strategyEstimates = [...pools.get('api')!.members.values()].map(({ routerHandle }) => routerHandle);
    expect(strategyEstimates.map((routerHandle) => next.routing.estimateOf(routerHandle, 1_060_000))).toEqual(
      [null, null, null],
    );
  });
});
