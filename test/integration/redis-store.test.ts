import { setTimeout as sleep } from 'node:timers/promises';
import { inspect } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { seededRandom } from '../../src/core/clock.ts';
import { type ClientFactory, loadClient, type RedisClient } from '../../src/redis/client.ts';
import { claimCall, openCall, readOpen, renewCall } from '../../src/redis/commands.ts';
import type { ScriptCall } from '../../src/redis/script.ts';
import { keysOf } from '../../src/redis/keys.ts';
import { LUA } from '../../src/redis/scripts.ts';
import {
  type HealthFact,
  openStore,
  type SharedStore,
  type Slot,
  type StoreOptions,
} from '../../src/redis/store.ts';
import { startProxy } from '../../bench/parts/proxy.mjs';
import { machineClock } from '../../src/shared/machine-clock.ts';
import { foundServers, startRedis, type TestRedis } from '../harness/redis.ts';

/** A machine: its store, and what the store told it. */
interface Machine {
  readonly store: SharedStore;
  readonly woken: string[];
  readonly facts: HealthFact[];
  readonly states: string[];
  readonly lost: string[];
  readonly proved: { readonly until: number; readonly at: number }[];
  /** Takes its network away, and gives it back. */
  readonly cut: () => void;
  readonly mend: () => void;
}

/** What a server and its store know when a broker opens it; `ready` and `created` are that long ago. */
interface ServerEpoch {
  readonly run?: string;
  readonly createdMs?: number;
  readonly readyMs?: number;
  readonly seen?: string;
  readonly upMs?: number;
  readonly promoted?: boolean;
}

const PASSWORD = 'geheim/p@ss';
const granted = { granted: true };
const machines: Machine[] = [];
let names = 0;

async function machine(redis: TestRedis, more: Partial<StoreOptions> = {}): Promise<Machine> {
  const woken: string[] = [];
  const facts: HealthFact[] = [];
  const states: string[] = [];
  const lost: string[] = [];
  const proved: Machine['proved'] = [];
  const network = await cuttable();
  const store = await openStore({
    url: redis.url,
    project: 'shop',
    broker: `broker-${++names}`,
    leaseTtlMs: 1_000,
    freshGraceMs: 0,
    onWake: (members) => woken.push(...members),
    onFact: (fact) => facts.push(fact),
    onState: (state, why) => states.push(`${state} ${why}`),
    onLost: (leases) => lost.push(...leases),
    onProved: (_, until) => proved.push({ until, at: machineClock() }),
    client: network.client,
    ...more,
  });
  const made = { store, woken, facts, states, lost, proved, cut: network.cut, mend: network.mend };
  machines.push(made);
  return made;
}

/** The real client over a network that can be cut. */
async function cuttable(): Promise<{ client: ClientFactory; cut: () => void; mend: () => void }> {
  const real = await loadClient();
  let present: RedisClient | undefined;
  let isCut = false;
  const client: ClientFactory = (address, connectMs) => {
    const made = real(isCut ? { ...address, port: 1 } : address, connectMs);
    present = made;
    return made;
  };
  const cut = (): void => {
    isCut = true;
    present?.destroy();
  };
  return { client, cut, mend: () => void (isCut = false) };
}

/** Nothing of this process runs for so long. */
function standStill(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

function slots(...members: string[]): Slot[] {
  return members.map((member) => ({ member, limit: 1 }));
}

/** Asks again and again, as a broker does that is woken. */
async function claimed(store: SharedStore, lease: string, wanted: readonly Slot[]): Promise<void> {
  await vi.waitFor(async () => expect(await store.claim(lease, wanted)).toEqual(granted), {
    timeout: 8_000,
    interval: 10,
  });
}

const until = (check: () => void, timeout = 8_000): Promise<void> =>
  vi.waitFor(check, { timeout, interval: 10 });

describe.each(foundServers())('a store on %s', (program) => {
  let redis: TestRedis;

  beforeAll(async () => {
    redis = await startRedis({ program, password: PASSWORD });
  });

  afterEach(async () => {
    await Promise.all(machines.splice(0).map(({ store }) => store.close()));
    await redis.command('FLUSHALL');
  });

  afterAll(() => redis.close());

  describe('claims', () => {
    it('are all or none, within the limit, and the same when asked twice', async () => {
      const [{ store: one }, { store: two }] = [await machine(redis), await machine(redis)];
      const shared = { member: 'endpoint', limit: 2 };
      expect(await one.claim('a', [...slots('key-1'), shared])).toEqual(granted);
      expect(await one.claim('a', [...slots('key-1'), shared])).toEqual(granted);
      expect(await two.claim('b', [...slots('key-2'), shared])).toEqual(granted);
      const refused = await two.claim('c', [...slots('key-3'), shared]);
      expect(refused).toMatchObject({ granted: false, why: 'full', full: ['endpoint'] });
      expect(await one.claim('d', slots('key-3'))).toEqual(granted);
      expect(await two.claim('e', [...slots('key-1', 'key-3'), shared])).toMatchObject({
        full: ['key-1', 'key-3', 'endpoint'],
      });
    });

    it('that vanished are put back, unless somebody else has the slot by then', async () => {
      const [one, two] = [await machine(redis), await machine(redis)];
      await one.store.claim('a', slots('key-1'));
      await one.store.claim('b', slots('key-2'));
      await redis.command('DEL', 'gemba:{shop}:tokens', 'gemba:{shop}:slot:key-1', 'gemba:{shop}:slot:key-2');
      expect(await two.store.claim('c', slots('key-1'))).toEqual(granted);
      await until(() => expect(one.lost).toEqual(['a']));
      expect(await two.store.claim('d', slots('key-2'))).toMatchObject({ full: ['key-2'] });
      expect(two.lost).toEqual([]);
    });

    it('move: other slots for the same lease give the old ones back', async () => {
      const [{ store: one }, { store: two }] = [await machine(redis), await machine(redis)];
      await one.claim('a', slots('key-1'));
      expect(await one.claim('a', slots('key-2'))).toEqual(granted);
      expect(await two.claim('b', slots('key-1'))).toEqual(granted);
      expect(await two.claim('c', slots('key-2'))).toMatchObject({ full: ['key-2'] });
    });

    it('outlive their time by renewal, and a dead machine gives them back after it', async () => {
      const [dead, living] = [await machine(redis), await machine(redis)];
      await dead.store.claim('a', slots('key-1'));
      await living.store.claim('b', slots('key-2'));
      dead.cut();
      const cutAt = Date.now();
      const answer = await living.store.claim('c', slots('key-1'));
      expect(answer).toMatchObject({ why: 'full' });
      if (!answer.granted) expect(answer.retryAtMs - cutAt).toBeGreaterThan(400);
      await until(() => expect(dead.lost).toEqual(['a']));
      const lostAt = Date.now();
      await claimed(living.store, 'c', slots('key-1'));
      // Its holder was told to stop before anybody else got it.
      expect(Date.now() - lostAt).toBeGreaterThan(100);
      await sleep(600);
      expect(living.lost).toEqual([]);
      expect(await (await machine(redis)).store.claim('d', slots('key-2'))).toMatchObject({
        full: ['key-2'],
      });
    });

    it('go over to the successor of a broker that died, and its late words change nothing', async () => {
      const [old, next] = [await machine(redis), await machine(redis)];
      await old.store.claim('a', slots('key-1'));
      expect(await next.store.claim('a', slots('key-1'), { alreadyHeld: true })).toEqual(granted);
      await old.store.release('a');
      expect(await next.store.claim('b', slots('key-1'))).toMatchObject({ full: ['key-1'] });
      const late = await machine(redis);
      await late.store.claim('c', slots('key-2'));
      await next.store.claim('c', slots('key-2'));
      await until(() => expect(late.lost).toEqual(['c']));
      expect(next.lost).toEqual([]);
    });

    it('of a broker that died while the store was away go over when it is back, or are lost in time', async () => {
      const [old, other] = [await machine(redis, { leaseTtlMs: 1_500 }), await machine(redis)];
      await old.store.claim('a', slots('key-1'));
      await old.store.claim('b', slots('key-2'));
      const next = await machine(redis, { leaseTtlMs: 1_500 });
      next.cut();
      const away = { code: 'GEMBA_STORE_DOWN' };
      await expect(next.store.claim('a', slots('key-1'), { alreadyHeld: true })).rejects.toMatchObject(away);
      await expect(next.store.claim('b', slots('key-2'), { alreadyHeld: true })).rejects.toMatchObject(away);
      await next.store.release('b');
      old.cut();
      next.mend();
      await until(() => expect(next.states.at(-1)).toMatch(/^up /));
      await sleep(1_600);
      expect(await other.store.claim('c', slots('key-1'))).toMatchObject({ full: ['key-1'] });
      expect(await other.store.claim('d', slots('key-2'))).toEqual(granted);
      expect(next.lost).toEqual([]);
      const late = await machine(redis);
      expect(await late.store.claim('e', slots('key-2'), { alreadyHeld: true })).toMatchObject({
        why: 'full',
      });
      expect(late.lost).toEqual(['e']);
      late.cut();
      await expect(late.store.claim('f', slots('key-3'), { alreadyHeld: true })).rejects.toMatchObject(away);
      await until(() => expect(late.lost).toEqual(['e', 'f']), 600);
    });

    it('are given back when a store is closed, and what was given back while it was away, too', async () => {
      const [one, two] = [await machine(redis), await machine(redis, { leaseTtlMs: 20_000 })];
      await one.store.claim('a', slots('key-1'));
      await one.store.close();
      expect(await two.store.claim('b', slots('key-1'))).toEqual(granted);
      two.cut();
      await two.store.release('b');
      await expect(two.store.claim('c', slots('key-1'))).rejects.toMatchObject({ code: 'GEMBA_STORE_DOWN' });
      two.mend();
      await until(() => expect(two.states.at(-1)).toMatch(/^up /));
      expect(await (await machine(redis)).store.claim('d', slots('key-1'))).toEqual(granted);
    });
  });

  describe('a freed slot', () => {
    it('goes to the machine that has wanted it the longest, which is woken', async () => {
      const [one, two, three] = [await machine(redis), await machine(redis), await machine(redis)];
      await one.store.claim('a', slots('key-1'));
      await two.store.claim('b', slots('key-1'));
      await three.store.claim('c', slots('key-1'));
      await one.store.release('a');
      expect(await one.store.claim('d', slots('key-1'))).toMatchObject({ full: ['key-1'] });
      expect(await three.store.claim('c', slots('key-1'))).toMatchObject({ full: ['key-1'] });
      await until(() => expect(two.woken).toEqual(['key-1']));
      expect(await two.store.claim('b', slots('key-1'))).toEqual(granted);
      await two.store.release('b');
      await until(() => expect(three.woken).toEqual(['key-1']));
    });

    it('wakes after the refusal that it ends, also when both come at once', async () => {
      const [one, two] = [await machine(redis), await machine(redis)];
      for (let round = 0; round < 20; round++) {
        await one.store.claim(`a${round}`, slots('key-1'));
        let wokenBefore = 0;
        const refused = two.store.claim(`b${round}`, slots('key-1')).then((answer) => {
          wokenBefore = two.woken.length;
          return answer;
        });
        const [answer] = await Promise.all([refused, one.store.release(`a${round}`)]);
        if (answer.granted) await two.store.release(`b${round}`);
        else await until(() => expect(two.woken.length).toBeGreaterThan(wokenBefore), 1_000);
        await sleep(40);
      }
    });

    it('is passed on where nobody wants it any more, and by a machine that died', async () => {
      const [one, two, three] = [await machine(redis), await machine(redis), await machine(redis)];
      await one.store.claim('a', slots('key-1'));
      await two.store.claim('b', slots('key-1'));
      await three.store.claim('c', slots('key-1'));
      await one.store.release('a');
      await until(() => expect(three.woken).toEqual(['key-1']), 200);
      expect(await three.store.claim('c', slots('key-1'))).toEqual(granted);
      await two.store.claim('b', slots('key-1'));
      await one.store.claim('a', slots('key-1'));
      two.cut();
      await three.store.release('c');
      await until(() => expect(one.woken).toEqual(['key-1']), 1_000);
      expect(await one.store.claim('a', slots('key-1'))).toEqual(granted);
    });

    it('is shared evenly between a machine with many tests and one with a single one', async () => {
      const counts = await Promise.all([workers(await machine(redis), 4), workers(await machine(redis), 1)]);
      const [many, single] = counts as [number, number];
      expect(many + single).toBeGreaterThan(100);
      expect(single / many).toBeGreaterThan(0.6);
    });

    /** So many tests at once take the same key for a millisecond, again and again; tells how often they got it. */
    async function workers({ store, woken }: Machine, count: number): Promise<number> {
      const endAt = Date.now() + 800;
      let holds = 0;
      // A broker asks for one of its tests at a time: it knows what its own tests hold.
      let turn: Promise<void> = Promise.resolve();
      const hold = async (lease: string): Promise<void> => {
        while (!(await store.claim(lease, slots('key-1'))).granted) {
          woken.length = 0;
          await vi
            .waitFor(() => expect(woken.length).toBeGreaterThan(0), { timeout: 50, interval: 1 })
            .catch(() => 0);
        }
        holds++;
        await sleep(1);
        await store.release(lease);
      };
      const worker = async (name: string): Promise<void> => {
        while (Date.now() < endAt) await (turn = turn.then(() => hold(name)));
      };
      await Promise.all(Array.from({ length: count }, (_, index) => worker(`w${count}-${index}`)));
      return holds;
    }
  });

  describe('a server that comes back empty', () => {
    it('grants nothing new for one TTL, while the living keep what they hold', async () => {
      const leaseTtlMs = 1_500;
      const [one, two] = [await machine(redis, { leaseTtlMs }), await machine(redis, { leaseTtlMs })];
      await one.store.claim('a', slots('key-1'));
      await redis.kill();
      await until(() => expect(two.states).toHaveLength(1));
      expect(two.states[0]).toBe(`down 127.0.0.1:${redis.port}: the connection was closed`);
      await redis.start();
      const startedAt = Date.now();
      const newcomer = await machine(redis, { leaseTtlMs, freshGraceMs: 400 });
      expect(await newcomer.store.claim('c', slots('key-1'))).toMatchObject({
        why: 'settling',
        full: ['key-1'],
      });
      await until(() => expect(two.states[1]).toMatch(/^up 127\.0\.0\.1:\d+: back after \d+\.\d s$/));
      expect(await two.store.claim('b', slots('key-2'))).toMatchObject({ why: 'settling' });
      await claimed(two.store, 'b', slots('key-2'));
      expect(Date.now() - startedAt).toBeGreaterThan(1_300);
      expect(await two.store.claim('d', slots('key-1'))).toMatchObject({ why: 'full' });
      expect(await newcomer.store.claim('c', slots('key-1'))).toMatchObject({ why: 'full' });
      expect([...one.lost, ...two.lost]).toEqual([]);
    });

    it('is told from a fresh one: that grants as soon as lost brokers had time to come back', async () => {
      const fresh = await startRedis({ program });
      try {
        const startedAt = Date.now();
        const { store } = await machine(fresh, { freshGraceMs: 500, leaseTtlMs: 30_000 });
        expect(await store.claim('a', slots('key-1'))).toMatchObject({ why: 'settling' });
        await claimed(store, 'a', slots('key-1'));
        expect(Date.now() - startedAt).toBeLessThan(2_000);
        await store.close();
      } finally {
        await fresh.close();
      }
    });

    it('without a restart, by FLUSHALL, is found by whoever comes first', async () => {
      const one = await machine(redis);
      await one.store.claim('a', slots('key-1'));
      await redis.command('FLUSHALL');
      const newcomer = await machine(redis);
      expect(await newcomer.store.claim('b', slots('key-1'))).toMatchObject({ why: 'settling' });
      await sleep(1_100);
      expect(await newcomer.store.claim('b', slots('key-1'))).toMatchObject({ why: 'full' });
      expect(one.lost).toEqual([]);
    });

    const known = { run: 'old', createdMs: 5_000, readyMs: 5_000 };
    it.each([
      ['nobody knows, and that has been up for long', {}, 0],
      ['nobody knows, and that has just come up', { upMs: 1_000 }, 2_000],
      ['nobody knows, that was a replica long ago', { promoted: true }, 0],
      ['a broker knew, up since a moment', { seen: 'old', upMs: 1_000 }, 9_000],
      ['a broker knew, up for longer than claims last', { seen: 'old' }, 0],
      ['a broker knew, and that is the same: somebody emptied it', { seen: 'new' }, 10_000],
      ['has data of before its restart', { ...known, upMs: 1_000 }, 9_000],
      ['has data of before its restart long ago', known, 0],
      ['was a replica until now', { ...known, promoted: true }, 10_000],
      ['is the same as before', { ...known, run: 'new', seen: 'new' }, 0],
      [
        'another broker came back to first',
        { ...known, run: 'new', readyMs: 0, seen: 'old', upMs: 6_000 },
        4_000,
      ],
      [
        'another broker came back to first, once a replica',
        { ...known, run: 'new', seen: 'old', promoted: true },
        5_000,
      ],
    ])('that %s settles as long as it must', async (_, given, settlesMs) => {
      const { run, createdMs, readyMs, seen, upMs, promoted }: ServerEpoch = given;
      const keys = keysOf('shop', 0);
      const [seconds] = (await redis.command('TIME')) as [string];
      const ago = (ms = 0): string => `${Number(seconds) * 1_000 - ms}`;
      if (run)
        await redis.command('HSET', keys.epoch, 'run', run, 'created', ago(createdMs), 'ready', ago(readyMs));
      const server = { run: 'new', upMs: upMs ?? 3_600_000, promoted: promoted ?? false };
      const call = openCall(keys, server, {
        seen: seen ?? '',
        ttlMs: 10_000,
        freshMs: 3_000,
        isClockSet: false,
      });
      const answer = await redis.command('EVAL', LUA.open, `${call.keys.length}`, ...call.keys, ...call.args);
      const { now, ready } = readOpen(answer);
      expect(Math.abs(Math.max(0, ready - now) - settlesMs)).toBeLessThan(1_500);
    });

    it('knows its scripts no more: they are sent again', async () => {
      const { store } = await machine(redis);
      await redis.command('SCRIPT', 'FLUSH');
      expect(await store.claim('a', slots('key-1'))).toEqual(granted);
    });
  });

  it('counts as down within seconds when it hangs, and what is held goes on', async () => {
    const { store, states, lost } = await machine(redis, { leaseTtlMs: 30_000 });
    await store.claim('a', slots('key-1'));
    redis.pause();
    const pausedAt = Date.now();
    try {
      await expect(store.claim('b', slots('key-2'))).rejects.toMatchObject({ code: 'GEMBA_STORE_DOWN' });
      expect(Date.now() - pausedAt).toBeLessThan(4_000);
      expect(states).toEqual([`down 127.0.0.1:${redis.port}: it gave no answer within 3 s`]);
      await expect(store.reservePermit('key-1', 60)).rejects.toThrow(
        `The store at 127.0.0.1:${redis.port} is away: it gave no answer within 3 s. It is tried again.`,
      );
    } finally {
      redis.resume();
    }
    await until(() => expect(states.at(-1)).toMatch(/^up /));
    const other = await machine(redis);
    expect(await other.store.claim('c', slots('key-1'))).toMatchObject({ why: 'full' });
    // The server heard the claim when it went on; nobody waits for it any more.
    expect(await other.store.claim('c', slots('key-2'))).toEqual(granted);
    expect(lost).toEqual([]);
  });

  describe('a proof', () => {
    it('is given with a claim, and again before it runs out', async () => {
      const { store, proved } = await machine(redis);
      await store.claim('a', slots('key-1'));
      const first = store.provedUntil('a')!;
      expect(first - machineClock()).toBeGreaterThan(500);
      expect(first - machineClock()).toBeLessThan(1_000);
      await until(() => expect(proved.length).toBeGreaterThan(3));
      const ends = [first, ...proved.map(({ until: end }) => end)];
      for (const [index, end] of ends.entries()) {
        const next = proved[index];
        expect(next === undefined || next.at < end).toBe(true);
      }
      expect(await store.prove('a')).toBe(store.provedUntil('a'));
      expect(await store.prove('unknown')).toBeNull();
    });

    it('after a standstill is asked of the server, which may have the lease still', async () => {
      const { store, lost } = await machine(redis);
      await store.claim('a', slots('key-1'));
      standStill(1_500);
      expect(store.provedUntil('a')).toBeLessThan(machineClock());
      expect(await store.prove('a')).toBeGreaterThan(machineClock());
      expect(lost).toEqual([]);
    });

    it('is refused where another machine has it by then', async () => {
      const [one, two] = [await machine(redis), await machine(redis)];
      await one.store.claim('a', slots('key-1'));
      standStill(1_500);
      // On the same connection as the renewal, and before it.
      const taken = two.store.claim('b', slots('key-1'));
      expect(await one.store.prove('a')).toBeNull();
      expect(await taken).toEqual(granted);
      expect(one.lost).toEqual(['a']);
    });

    it('waits for no server that is away: the lease is lost when the last proof ends', async () => {
      const { store, lost, cut } = await machine(redis);
      await store.claim('a', slots('key-1'));
      const end = store.provedUntil('a')!;
      cut();
      await until(() => expect(lost).toEqual(['a']));
      expect(machineClock()).toBeGreaterThanOrEqual(end);
      expect(await store.prove('a')).toBeNull();
    });
  });

  it.each([
    ['ahead', 3_600_000],
    ['back', -3_600_000],
  ])('whose clock was set %s an hour grants nothing by it', async (_, setMs) => {
    const keys = keysOf('shop', 0);
    const { store } = await machine(redis);
    await store.claim('a', slots('key-1'));
    const [seconds] = (await redis.command('TIME')) as [string];
    const run = (await redis.command('HGET', keys.epoch, 'run')) as string;
    const now = Number(seconds) * 1_000 - setMs;
    const claim = { lease: 'b', token: 'b.1', slots: slots('key-1') };
    const terms = { run, broker: 'b', ttlMs: 1_000, now };
    const evaluate = async ({ script, keys: names, args }: ScriptCall): Promise<unknown> =>
      redis.command('EVAL', LUA[script], `${names.length}`, ...names, ...args);
    expect(await evaluate(claimCall(keys, claim, { ...terms, alreadyHeld: false }))).toEqual(['CLOCK']);
    expect(await evaluate(renewCall(keys, [claim], terms))).toEqual(['CLOCK']);
    // Opened again for that reason, it settles: those that live have the time to come back.
    const open = { seen: run, ttlMs: 1_000, freshMs: 0, isClockSet: true };
    const server = { run, upMs: 3_600_000, promoted: false };
    const { now: opened, ready } = readOpen(await evaluate(openCall(keys, server, open)));
    expect(ready - opened).toBe(1_000);
  });

  it('whose clock was set back makes no call wait for the time that it lost', async () => {
    const { store } = await machine(redis);
    const [seconds] = (await redis.command('TIME')) as [string];
    const ahead = Number(seconds) * 1_000 + 3_600_000;
    await redis.command('RPUSH', keysOf('shop', 0).pace('key-1'), `${ahead}.000 ${ahead}.000`);
    expect(await store.reservePermit('key-1', 60)).toBeLessThanOrEqual(1_050);
  });

  it('that is half a second away serves', async () => {
    const proxy = await startProxy(redis.port, 250);
    try {
      const { store, states, lost } = await machine(redis, {
        url: redis.url.replace(`:${redis.port}`, `:${proxy.port}`),
        leaseTtlMs: 4_000,
        client: undefined,
      });
      const claims = Array.from({ length: 5 }, (_, index) => store.claim(`${index}`, slots(`key-${index}`)));
      expect(await Promise.all(claims)).toEqual(Array.from({ length: 5 }, () => granted));
      await sleep(4_200);
      expect({ states, lost }).toEqual({ states: [], lost: [] });
      await store.release('0');
    } finally {
      proxy.close();
    }
  });

  describe('what the server refuses', () => {
    it('concerns one member where one of its keys is not ours, and is said so', async () => {
      const { store, states } = await machine(redis);
      await redis.command('SET', keysOf('shop', 0).holders('key-1'), 'not ours');
      await expect(store.claim('a', slots('key-1'))).rejects.toThrow(
        /a value of another kind.*\(WRONGTYPE\)/,
      );
      expect(await store.claim('b', slots('key-2'))).toEqual(granted);
      expect(states).toEqual([]);
    });

    it('for want of memory is said so, and is no reason to connect anew', async () => {
      const { store, states } = await machine(redis, { leaseTtlMs: 30_000 });
      await redis.command('CONFIG', 'SET', 'maxmemory', '1');
      try {
        await expect(store.claim('a', slots('key-1'))).rejects.toThrow('its memory is full (OOM)');
      } finally {
        await redis.command('CONFIG', 'SET', 'maxmemory', '0');
      }
      expect(await store.claim('b', slots('key-2'))).toEqual(granted);
      expect(states).toEqual([]);
    });
  });

  describe('health facts', () => {
    it('that make no sense are left out one by one, and each is said once', async () => {
      const sane = {
        pool: 'api',
        kind: 'key',
        name: 'ci',
        state: 'cooling',
        until: null,
        why: 'w',
        at: 1_000,
      };
      const odd: Record<string, unknown> = {
        'a time of 1e300': { ...sane, id: '1', until: 1e300 },
        'a time as text': { ...sane, id: '2', at: 'yesterday' },
        'another state': { ...sane, id: '3', state: 'tired' },
        'no object': 'x',
        'no JSON': undefined,
        sane: { ...sane, id: '4' },
      };
      const fields = Object.entries(odd).flatMap(([name, fact]) => [name, JSON.stringify(fact) ?? '{']);
      await redis.command('HSET', keysOf('shop', 0).facts, ...fields);
      const { store } = await machine(redis);
      expect((await store.readFacts()).map(({ id }) => id)).toEqual(['4']);
      await store.readFacts();
      const begin = 'The store has a health fact that makes no sense, which is ignored: ';
      expect(store.notices.map((notice) => notice.replace(begin, '')).toSorted()).toEqual([
        'api key ci (at: "yesterday").',
        'api key ci (state: "tired").',
        'api key ci (until: 1e+300).',
        'one (it names no member).',
      ]);
      const fact = { ...sane, id: '5', kind: 'key', state: 'healthy', at: Date.now() } as const;
      await redis.command('HSET', keysOf('shop', 0).facts, JSON.stringify(['api', 'key', '5']), '{"at":[');
      await store.publishFact(fact);
      // A hash of the server has no order.
      expect((await store.readFacts()).map(({ id }) => id).toSorted()).toEqual(['4', '5']);
    });

    const member = { pool: 'api', kind: 'key', id: 'ci-1#ab12', name: 'ci-1' } as const;
    const fact = (more: Partial<HealthFact>): HealthFact => ({
      ...member,
      state: 'cooling',
      why: 'because',
      until: null,
      at: Date.now(),
      ...more,
    });

    it('reach the other machines, and those that come later', async () => {
      const [one, two] = [await machine(redis), await machine(redis)];
      const sent = fact({ until: Date.now() + 60_000, why: '429, "Retry-After": 60' });
      await one.store.publishFact(sent);
      await until(() => expect(two.facts).toHaveLength(1));
      const near = (at: number): unknown => expect.closeTo(at, -1.5);
      const read = { ...sent, at: near(sent.at), until: near(sent.until!) };
      expect(two.facts).toEqual([read]);
      expect(await (await machine(redis)).store.readFacts()).toEqual([read]);
      expect(one.facts).toEqual([]);
    });

    it('merge: the later deadline wins, and what stays ends only by a later healthy fact', async () => {
      const { store } = await machine(redis);
      const now = Date.now();
      const after = async (more: Partial<HealthFact>): Promise<string | undefined> => {
        await store.publishFact(fact(more));
        return (await store.readFacts())[0]?.why;
      };
      expect(await after({ until: now + 60_000, at: now, why: 'long' })).toBe('long');
      expect(await after({ until: now + 5_000, at: now + 1, why: 'short' })).toBe('long');
      expect(await after({ state: 'exhausted', until: now + 90_000, at: now - 1, why: 'longer' })).toBe(
        'longer',
      );
      expect(await after({ state: 'quarantined', at: now + 2, why: 'refused' })).toBe('refused');
      expect(await after({ until: now + 99_000, at: now + 3, why: 'pause' })).toBe('refused');
      expect(await after({ state: 'disabled', at: now + 4, why: 'by hand' })).toBe('by hand');
      expect(await after({ state: 'quarantined', at: now + 5, why: 'refused' })).toBe('by hand');
      expect(await after({ state: 'healthy', at: now + 4, why: 'too early' })).toBe('by hand');
      expect(await after({ state: 'healthy', at: now + 6, why: 'enabled' })).toBe('enabled');
      expect(await after({ state: 'quarantined', at: now + 5, why: 'late' })).toBe('enabled');
      expect(await after({ until: now - 10, at: now + 7, why: 'over' })).toBe('over');
      expect(await after({ state: 'half-open', at: now + 8, why: 'trial' })).toBe('trial');
    });

    it('of the time without a connection are told and heard when it is back', async () => {
      const [one, two] = [await machine(redis), await machine(redis)];
      one.cut();
      await one.store.publishFact(fact({ id: 'one', state: 'quarantined' }));
      await two.store.publishFact(fact({ id: 'two', state: 'quarantined' }));
      one.mend();
      await until(() => expect(two.facts.map(({ id }) => id)).toEqual(['one']));
      await until(() => expect(one.facts.map(({ id }) => id).toSorted()).toEqual(['one', 'two']));
    });

    it('that are not understood harm nobody', async () => {
      const { store, facts } = await machine(redis);
      const channel = 'gemba:{shop}:0:fact';
      for (const message of [
        '',
        '[]',
        '{"fact":{"pool":1}}',
        JSON.stringify({ fact: fact({ kind: 'x' as 'key' }) }),
      ]) {
        await redis.command('PUBLISH', channel, message);
        await redis.command('HSET', 'gemba:{shop}:facts', `member ${message}`, message);
      }
      expect(await store.readFacts()).toEqual([]);
      expect(facts).toEqual([]);
    });
  });

  it('paces the calls of all machines together', async () => {
    const [{ store: one }, { store: two }] = [await machine(redis), await machine(redis)];
    const startedAt = Date.now();
    const waits = await Promise.all(
      Array.from({ length: 40 }, (_, index) => (index % 2 ? one : two).reservePermit('api/key:ci-1', 600)),
    );
    const spent = Date.now() - startedAt;
    const sorted = waits.toSorted((left, right) => left - right);
    expect(sorted.filter((wait) => wait === 0)).toHaveLength(10);
    // No more than ten in any second, nor in the moment by which one machine may hear of its turn later than another.
    for (let index = 10; index < 40; index++) {
      expect(sorted[index]! - sorted[index - 10]!).toBeGreaterThanOrEqual(1_050 - spent - 2);
    }
    expect(sorted.at(-1)).toBeLessThanOrEqual(3_150);
  });

  describe('a server that cannot be used at the start', () => {
    const opening = async (url: string): Promise<string> => {
      const startedAt = Date.now();
      const error: unknown = await machine(redis, { url, client: undefined }).catch(
        (reason: unknown) => reason,
      );
      expect(Date.now() - startedAt).toBeLessThan(4_000);
      expect(error).toMatchObject({ code: 'GEMBA_STORE_UNREACHABLE' });
      expect(inspect(error, { depth: 9, showHidden: true })).not.toMatch(/geheim|wrong-user/);
      return String((error as Error).message).replaceAll(`${redis.port}`, 'PORT');
    };
    const said = (why: string, at = '127.0.0.1:PORT'): string =>
      `The store at ${at} cannot be used: ${why}. ` +
      'Start or repair it, or correct "store" in gemba.config.json or GEMBA_STORE. (GEMBA_STORE_UNREACHABLE)';

    it.each([
      ['a wrong password', 'wrong-user:geheim2', '', 'it refuses the user or the password (WRONGPASS)'],
      ['no password', '', '', 'it asks for a password (NOAUTH)'],
      [
        'a database that is not there',
        `:${encodeURIComponent(PASSWORD)}`,
        '/99',
        'it has no database of that number',
      ],
    ])('says so: %s', async (_, user, database, why) => {
      expect(await opening(`redis://${user}@127.0.0.1:${redis.port}${database}`)).toBe(said(why));
    });

    it('says so: nobody listens, or no such host', async () => {
      expect(await opening('redis://:geheim@127.0.0.1:1')).toBe(
        said('the connection was refused (ECONNREFUSED)', '127.0.0.1:1'),
      );
      expect(await opening('redis://:geheim@nowhere.invalid')).toMatch(
        /^The store at nowhere\.invalid:6379 cannot be used: its name /,
      );
    });

    it('says so: it hangs', async () => {
      redis.pause();
      try {
        expect(await opening(redis.url)).toBe(said('it gave no answer within 3 s'));
      } finally {
        redis.resume();
      }
    });
  });

  it('never gives a slot to two, whatever dies, and leaks none', async () => {
    const inside = new Map<string, string>();
    const overlaps: string[] = [];
    let grants = 0;
    const end = (lease: string): void => {
      for (const [member, holder] of inside) if (holder === lease) inside.delete(member);
    };
    const members = ['key-1', 'key-2', 'key-3'];
    const random = seededRandom('soak');
    const pick = (count: number): number => Math.floor(random() * count);
    const all = await Promise.all(
      [1, 2, 3].map(() => machine(redis, { onLost: (leases) => leases.forEach(end) })),
    );
    const endAt = Date.now() + 4_500;

    const worker = async ({ store }: Machine, name: string): Promise<void> => {
      for (let round = 0; Date.now() < endAt; round++) {
        const lease = `${name}-${round}`;
        const wanted = slots(...members.filter(() => random() < 0.5));
        const answer = await store.claim(lease, wanted).catch(() => null);
        if (answer?.granted) {
          grants++;
          for (const { member } of wanted) {
            if (inside.has(member)) overlaps.push(`${member}: ${inside.get(member)} and ${lease}`);
            inside.set(member, lease);
          }
          await sleep(pick(4) === 0 ? 700 : 10);
          end(lease);
        }
        await store.release(lease);
        await sleep(pick(10));
      }
    };
    const chaos = async (): Promise<void> => {
      for (let round = 0; Date.now() < endAt - 2_000; round++) {
        await sleep(200 + pick(200));
        const victim = all[pick(3)]!;
        if (round % 2 === 0) {
          await redis.kill();
          await sleep(pick(200));
          await redis.start();
        } else {
          victim.cut();
          await sleep(pick(1_000));
          victim.mend();
        }
      }
    };
    await Promise.all([
      chaos(),
      ...all.flatMap((each, index) => [1, 2].map((n) => worker(each, `m${index}w${n}`))),
    ]);

    expect(overlaps).toEqual([]);
    expect(grants).toBeGreaterThan(50);
    const last = await machine(redis);
    await claimed(last.store, 'last', slots(...members));
  });
});
