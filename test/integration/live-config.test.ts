import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import { seededRandom } from '../../src/core/clock.ts';
import { ConfigClient, type Env, save } from '../harness/config-client.ts';
import { until } from '../harness/patience.ts';

const SEED = process.env['FUZZ_SEED'] ?? 'edits';
const FUZZ_MS = Number(process.env['FUZZ_MS'] ?? 6_000);
const ROTATIONS = ['round-robin', 'least-busy', 'success-rate', 'random'];
/** The highest limit of a key in the seeded history. */
const MOST = 3;

interface Key {
  name?: string;
  value: string;
  maxConcurrent?: number;
  enabled?: boolean;
}

function key(name: string, more: Partial<Key> = {}): Key {
  return { name, value: `secret-of-${name}`, maxConcurrent: 1, enabled: true, ...more };
}

function configOf(keys: readonly Key[], more: object = {}): string {
  return JSON.stringify({ name: 'live', pools: { api: { keys, ...more } } }, null, 2);
}

describe('the configuration in force', () => {
  let folder: string;
  let file: string;
  let project: string;
  let broker: ChildProcess;
  const clients: ConfigClient[] = [];

  beforeEach(() => {
    folder = realpathSync(mkdtempSync(path.join(tmpdir(), 'glc-')));
    file = path.join(folder, 'gemba.config.json');
    project = path.join(folder, 's');
  });

  afterEach(() => {
    for (const client of clients.splice(0)) client.close();
    broker.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  });

  function start(text: string): void {
    writeFileSync(file, text);
    startBroker();
  }

  function startBroker(): void {
    const main = path.join(inject('installedProject'), 'node_modules/gemba-agent/dist/broker.cjs');
    const args = [main, path.join(folder, 'cache.json'), 'seed', file, project];
    broker = spawn(process.execPath, args, { stdio: 'inherit' });
  }

  async function client(env: Env = {}, run = 'run'): Promise<ConfigClient> {
    const made = new ConfigClient(`link-${clients.length}`, file, env, run);
    clients.push(made);
    await made.open(project);
    return made;
  }

  /** Milliseconds until it holds, from the save on. */
  async function after(text: string, what: string, holds: () => boolean): Promise<number> {
    const from = performance.now();
    save(file, text);
    await until(what, holds);
    return performance.now() - from;
  }

  it('grants an added key to waiting tests; a disabled key gets no new leases, and its holders keep theirs', async () => {
    start(configOf([key('one')]));
    const [first, second] = [await client(), await client()];
    first.acquire('a');
    await until('a is granted', () => first.granted('a') !== undefined);
    second.acquire('b');
    const ms = await after(
      configOf([key('one'), key('two')]),
      'b is granted',
      () => second.granted('b') !== undefined,
    );
    expect(second.granted('b')!.grant.key!.name).toBe('two');
    expect(ms).toBeLessThan(1_000);
    second.release('b');

    await after(
      configOf([key('one', { enabled: false }), key('two')]),
      'it is heard',
      () => second.heard.filter(({ type }) => type === 'config').length === 3,
    );
    // The holder of the disabled key goes on; its successors get the other.
    for (const lease of ['c', 'd']) {
      second.acquire(lease);
      await until(`${lease} is granted`, () => second.granted(lease) !== undefined);
      expect(second.granted(lease)!.grant.key!.name).toBe('two');
      second.release(lease);
    }
    first.release('a');
    second.acquire('e');
    second.acquire('f', { timeoutMs: 300 });
    await until('f is refused', () => second.heard.some(({ type }) => type === 'refused'));
    expect(second.heard.at(-1)).toMatchObject({
      lease: 'f',
      reasons: [
        { name: 'one', why: 'disabled in the configuration' },
        { name: 'two', why: 'held by "e"' },
      ],
    });
  });

  it('lowers a limit as leases end, and knows a member by its secret: renamed and moved, it is the same', async () => {
    start(configOf([key('one', { maxConcurrent: 3 })]));
    // Who holds what it waits for waits for ever: the others are another worker's.
    const [worker, other] = [await client(), await client()];
    for (const lease of ['a', 'b', 'c']) worker.acquire(lease);
    await until('all are granted', () => worker.granted('c') !== undefined);
    const renamed = key('uno', { value: 'secret-of-one', maxConcurrent: 1 });
    await after(configOf([key('other', { enabled: false }), renamed]), 'it is heard', () =>
      [worker, other].every(({ live }) => live.current!.config.pools['api']!.keys.length === 2),
    );
    other.acquire('d');
    worker.release('a');
    worker.release('b');
    other.acquire('probe', { timeoutMs: 200 });
    await until('two of three are back', () => other.heard.some(({ type }) => type === 'refused'));
    expect(other.granted('d')).toBeUndefined();
    worker.release('c');
    await until('the last is back', () => other.granted('d') !== undefined);
    expect(other.granted('d')!.grant.key!.name).toBe('uno');
    expect(other.granted('d')!.grant.key!.id).toBe(worker.granted('a')!.grant.key!.id);
  });

  it('keeps the last good revision after a bad save, and tells one link of each run, once', async () => {
    start(configOf([key('one')]));
    const [first, second, other] = [await client(), await client(), await client({}, 'other run')];
    const good = first.live.current!.config.revision;
    save(file, configOf([key('one', { maxConcurrent: 0 })]));
    await until('it is said', () => saidBy(first, second) === 1 && saidBy(other) === 1);
    first.acquire('a');
    await until('leases go on', () => first.granted('a') !== undefined);
    expect(first.granted('a')!.grant.revision).toBe(good);
    expect(first.heard.find(({ type }) => type === 'said')).toEqual({
      type: 'said',
      problems: [`${file}:9:28  pools.api.keys[0].maxConcurrent: must be an integer of 1 or more; found 0`],
    });
    // A worker that comes now, when the file is no good, is one of a run that goes on.
    const late = new ConfigClient('late', withText(folder, configOf([key('one')])), {}, 'run');
    clients.push(late);
    await late.open(project);
    expect(late.live.current!.config.revision).toBe(good);
    rmSync(file, { force: true });
    await until('it is said', () => saidBy(first, second) === 2);
    save(file, configOf([key('one')]));
    await until('it is as before', () => lastErrors(late).length === 0 && lastErrors(first).length === 0);
    expect([saidBy(first, second, late), saidBy(other)]).toEqual([2, 2]);
  });

  it('leaves out what an environment does not have, and says so once in its run', async () => {
    start(configOf([key('one')]));
    const rich = await client({ NEW: 'a-new-secret' }, 'rich');
    const [poor, poorer] = [await client({}, 'poor'), await client({}, 'poor')];
    const added = configOf([key('one'), { name: 'two', value: '${NEW}', maxConcurrent: 1 }]);
    await after(added, 'the rich has it', () => rich.live.current!.config.pools['api']!.keys.length === 2);
    await until('the poor say what they lack', () => saidBy(poor, poorer) === 1);
    expect([...poor.heard, ...poorer.heard].find(({ type }) => type === 'said')).toMatchObject({
      problems: [
        `${file}:14:20  pools.api.keys[1].value: the variable NEW is not set; set it, or say "whenUnset": "skip" in this pool`,
      ],
    });
    expect(saidBy(rich)).toBe(0);
    poor.acquire('a');
    await until('the poor have the one', () => poor.granted('a') !== undefined);
    poorer.acquire('b', { timeoutMs: 200 });
    rich.acquire('c');
    await until('the rich have the other', () => rich.granted('c') !== undefined);
    expect(rich.granted('c')!.grant.key!.name).toBe('two');
    await until('b is refused', () => poorer.heard.some(({ type }) => type === 'refused'));
    poorer.acquire('d');
    // A pool that needs it as a whole cannot be had; a pool that is gone, neither.
    await after(
      JSON.stringify({ name: 'live', pools: { new: { endpoints: ['https://${NEW}.test'] } } }),
      'they hear',
      () => 'new' in poor.live.current!.config.unavailable,
    );
    await until('d is refused', () =>
      poorer.heard.some((heard) => heard.type === 'refused' && heard.lease === 'd'),
    );
    expect(poorer.heard.at(-1)).toMatchObject({
      reasons: [{ name: 'api', why: 'the configuration in force has no such pool' }],
    });
  });

  it('never mixes revisions, whatever is edited while tests lease: a seeded history', async () => {
    const random = seededRandom(SEED);
    const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)]!;
    const names = ['one', 'two', 'three', 'four', 'five'];
    const texts = new Map<string, readonly Key[]>();
    const write = (keys: readonly Key[]): string => {
      const text = configOf(keys, { acquireTimeout: pick(['20s', '30s', '40s']), rotation: pick(ROTATIONS) });
      texts.set(createHash('sha256').update(text).digest('hex').slice(0, 12), keys);
      return text;
    };
    start(write([key('one'), key('two')]));
    const env = { THREE: 'secret-of-three' };
    const clients = await Promise.all(Array.from({ length: 5 }, () => client(env)));
    const holders = new Map<string, Set<string>>();
    let count = 0;
    let isOver = false;
    const work = async (client: ConfigClient): Promise<void> => {
      while (!isOver) {
        const lease = `lease-${++count}`;
        client.acquire(lease);
        await until(`${lease} is granted`, () => client.granted(lease) !== undefined || isOver);
        const granted = client.granted(lease);
        if (!granted) return;
        const { id, name } = granted.grant.key!;
        const keys = texts.get(granted.grant.revision!)!;
        const configured = keys.find((each) => each.name === name);
        // Granted by the revision that this link had been told last, and by no other.
        const before = client.heard.slice(0, client.heard.indexOf(granted));
        const inForce = before.findLast((heard) => heard.type === 'config') ?? { revision: null };
        expect([granted.grant.revision, configured?.enabled]).toEqual([inForce.revision, true]);
        const held = holders.get(id) ?? new Set();
        holders.set(id, held.add(lease));
        expect(held.size).toBeLessThanOrEqual(MOST);
        await sleep(random() * 15);
        held.delete(lease);
        client.release(lease);
      }
    };
    const working = clients.map(work);
    let saves = 0;
    let bad = 0;
    for (const end = performance.now() + FUZZ_MS; performance.now() < end; saves++) {
      const keys = names
        .filter(() => random() < 0.6)
        .map((name) => key(name, { maxConcurrent: 1 + Math.floor(random() * MOST), enabled: random() < 0.8 }))
        .sort(() => random() - 0.5);
      keys.push(key('always', { value: pick(['secret-of-always', '${THREE}']), enabled: true }));
      const text = write(keys);
      const damage = saves % 4 === 3 ? random() * 0.3 : random();
      if (damage < 0.15) writeFileSync(file, text.slice(0, Math.floor(random() * text.length)));
      else if (damage < 0.25) save(file, text.replaceAll('maxConcurrent', 'maxConcurent'));
      else if (damage < 0.3) rmSync(file, { force: true });
      else if (damage < 0.6) writeFileSync(file, text);
      else save(file, text);
      if (damage < 0.3) bad++;
      await sleep(random() * 500);
    }
    const last = write([key('one'), key('always')]);
    await after(last, 'all have the last', () =>
      clients.every((client) => client.live.announced!.layers[0]!.text === last),
    );
    isOver = true;
    await Promise.all(working);
    expect(broker.exitCode).toBeNull();
    const revisions = new Set(
      clients.flatMap(({ heard }) =>
        heard.flatMap((one) => (one.type === 'granted' ? one.grant.revision! : [])),
      ),
    );
    expect([saves > 8, bad > 0, count > 100, revisions.size > 2]).toEqual([true, true, true, true]);
  });

  it('comes back with a new broker, from the links where the file is no good', async () => {
    start(configOf([key('one')]));
    const before = await client();
    const { text } = before.live.current!.layers[0]!;
    broker.kill('SIGKILL');
    await until('it is gone', () => broker.signalCode !== null);
    before.close();
    writeFileSync(file, '{');
    startBroker();
    const after = new ConfigClient('link-0', withText(folder, text), {}, 'run');
    clients.push(after);
    const opened = after.open(project);
    await opened;
    after.offer();
    after.acquire('a');
    await until('a is granted', () => after.granted('a') !== undefined);
    await until('it is said', () => saidBy(after) === 1);
    expect(lastErrors(after)[0]).toMatch(/gemba\.config\.json:1:/);
  });
});

function saidBy(...clients: readonly ConfigClient[]): number {
  return clients.flatMap(({ heard }) => heard.filter(({ type }) => type === 'said')).length;
}

function lastErrors(client: ConfigClient): readonly string[] {
  const last = client.heard.findLast((heard) => heard.type === 'config');
  return last?.errors ?? ['nothing was heard'];
}

function withText(folder: string, text: string): string {
  const copy = path.join(folder, 'copy.json');
  writeFileSync(copy, text);
  return copy;
}
