import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import { revisionOf } from '../../src/config/source.ts';
import { seededRandom } from '../../src/core/clock.ts';
import { ConfigClient, type Env, save } from '../harness/config-client.ts';
import { until } from '../harness/patience.ts';

const SEED = process.env['FUZZ_SEED'] ?? 'layers';
const FUZZ_MS = Number(process.env['FUZZ_MS'] ?? 5_000);
const NAMES = ['one', 'two', 'three', 'four'];

interface Key {
  readonly name: string;
  readonly value?: string | { readonly file: string };
  readonly enabled?: boolean;
  readonly maxConcurrent?: number;
}

function key(name: string, more: Partial<Key> = {}): Key {
  return { name, value: `secret-of-${name}`, maxConcurrent: 1, ...more };
}

function base(keys: readonly Key[]): string {
  return JSON.stringify({ name: 'live', pools: { api: { keys } } });
}

function top(keys: readonly Key[], more: object = {}): string {
  return JSON.stringify({ extends: './base.json', pools: { api: { keys } }, ...more });
}

describe('a configuration of several files, while tests lease', () => {
  let folder: string;
  let broker: ChildProcess | null = null;
  const clients: ConfigClient[] = [];

  beforeEach(() => {
    folder = realpathSync(mkdtempSync(path.join(tmpdir(), 'gll-')));
  });

  afterEach(() => {
    for (const client of clients.splice(0)) client.close();
    broker?.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  });

  function file(name: string): string {
    return path.join(folder, name);
  }

  function start(files: Readonly<Record<string, string>>): void {
    for (const [name, text] of Object.entries(files)) writeFileSync(file(name), text);
    const main = path.join(inject('installedProject'), 'node_modules/gemba-agent/dist/broker.cjs');
    const args = [main, file('cache.json'), 'seed', file('gemba.config.json'), file('s')];
    broker = spawn(process.execPath, args, { stdio: 'inherit' });
  }

  async function client(env: Env = {}): Promise<ConfigClient> {
    const made = new ConfigClient(`client-${clients.length}`, file('gemba.config.json'), env);
    clients.push(made);
    await made.open(file('s'));
    return made;
  }

  /** Milliseconds from a save until it holds. */
  async function after(name: string, text: string, what: string, holds: () => boolean): Promise<number> {
    const from = performance.now();
    save(file(name), text);
    await until(what, holds);
    return performance.now() - from;
  }

  it('an edit of a base counts within a second, whoever waits, and a base that is gone changes nothing', async () => {
    start({ 'gemba.config.json': top([]), 'base.json': base([key('one')]) });
    const [first, second] = [await client(), await client()];
    first.acquire('a');
    await until('a is granted', () => first.granted('a') !== undefined);
    second.acquire('b');
    const ms = await after('base.json', base([key('one'), key('two')]), 'b is granted', () => {
      return second.granted('b') !== undefined;
    });
    expect([second.granted('b')!.grant.key!.name, ms < 1_000]).toEqual(['two', true]);

    const { revision } = second.live.current!.config;
    rmSync(file('base.json'));
    await until('the loss is heard', () => lastErrors(second).length > 0);
    expect(lastErrors(second)).toEqual([
      `${file('gemba.config.json')}:1:12  extends: names ${file('base.json')}, but there is no such file`,
    ]);
    second.release('b');
    second.acquire('c');
    await until('c is granted', () => second.granted('c') !== undefined);
    expect(second.granted('c')!.grant.revision).toBe(revision);
    await after('base.json', base([key('one'), key('two'), key('three')]), 'the third key is heard', () => {
      return second.live.current!.config.pools['api']!.keys.length === 3;
    });
    expect(lastErrors(second)).toEqual([]);
  });

  it('a file that is extended from now on is watched, too', async () => {
    start({
      'gemba.config.json': JSON.stringify({ name: 'live', pools: { api: { keys: [key('one')] } } }),
      'base.json': base([key('two')]),
    });
    const one = await client();
    await after('gemba.config.json', top([key('one')]), 'the base is heard', () => {
      return one.live.current!.config.pools['api']!.keys.length === 2;
    });
    const ms = await after('base.json', base([key('two'), key('three')]), 'its edit is heard', () => {
      return one.live.current!.config.pools['api']!.keys.length === 3;
    });
    expect(ms).toBeLessThan(1_000);
  });

  it('a value in a file and a variable in .env are read anew when they change', async () => {
    writeFileSync(file('secret'), 'first\n');
    start({
      'gemba.config.json': top([{ name: 'env', value: '${FROM_ENV:-none}' }]),
      'base.json': base([key('file', { value: { file: './secret' } })]),
    });
    const [one, two] = [await client(), await client()];
    const values = (of: ConfigClient): (string | undefined)[] =>
      of.live.current!.config.pools['api']!.keys.map(({ value }) => value);
    expect(values(one)).toEqual(['first', 'none']);
    const { revision } = one.live.current!.config;
    const both = (wanted: readonly string[]) => () =>
      [one, two].every((each) => JSON.stringify(values(each)) === JSON.stringify(wanted));
    expect(await after('secret', 'second\n', 'the value is heard', both(['second', 'none']))).toBeLessThan(
      1_000,
    );
    expect(one.live.current!.config.revision).toBe(`${revision}-1`);
    expect(
      await after('.env', 'FROM_ENV=set\n', 'the variable is heard', both(['second', 'set'])),
    ).toBeLessThan(1_000);
    expect(two.live.current!.config.revision).toBe(`${revision}-2`);
    // What both read from one file is one member, of the new value.
    one.acquire('a');
    two.acquire('b');
    await until('both are granted', () => !!one.granted('a') && !!two.granted('b'));
    await after('secret', 'third\n', 'the third value is heard', both(['third', 'set']));
    await after(
      'base.json',
      base([key('file', { value: { file: './secret' } }), key('more')]),
      'an edit',
      () => [one, two].every((each) => values(each).length === 3),
    );
    expect(one.live.current!.config.revision).toMatch(/^[0-9a-f]{12}$/);
  });

  it('never mixes revisions, whatever is edited in whichever file: a seeded history', async () => {
    const random = seededRandom(SEED);
    const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)]!;
    /** Some keys with their values; those of the upper file also add what the base lacks. */
    const someKeys = (): Key[] =>
      NAMES.filter(() => random() < 0.7).map((name) =>
        key(name, { enabled: random() < 0.7, maxConcurrent: pick([1, 2]) }),
      );
    let files = { base: [...NAMES.map((name) => key(name)), key('always')] as Key[], top: [] as Key[] };
    const states = new Map<string, typeof files>();
    const write = (changed: Partial<typeof files>): typeof files => {
      files = { ...files, ...changed };
      const texts = [top(files.top), base(files.base)];
      states.set(revisionOf(texts), files);
      return files;
    };
    write({});
    start({ 'gemba.config.json': top(files.top), 'base.json': base(files.base) });
    const all = await Promise.all(Array.from({ length: 4 }, () => client()));
    let [count, saves, isOver] = [0, 0, false];
    const work = async (one: ConfigClient): Promise<void> => {
      while (!isOver) {
        const lease = `lease-${++count}`;
        one.acquire(lease);
        await until(`${lease} is granted`, () => one.granted(lease) !== undefined || isOver);
        const granted = one.granted(lease);
        if (!granted) return;
        const state = states.get(granted.grant.revision!);
        const named = (keys: readonly Key[] = []): Key | undefined =>
          keys.find(({ name }) => name === granted.grant.key!.name);
        const isEnabled = named(state?.top)?.enabled ?? named(state?.base)?.enabled ?? true;
        const before = one.heard.slice(0, one.heard.indexOf(granted));
        const inForce = before.findLast((heard) => heard.type === 'config');
        expect([state === undefined, isEnabled, granted.grant.revision]).toEqual([
          false,
          true,
          inForce?.revision,
        ]);
        await sleep(random() * 15);
        one.release(lease);
      }
    };
    const working = all.map(work);
    for (const end = performance.now() + FUZZ_MS; performance.now() < end; saves++) {
      if (random() < 0.5) save(file('base.json'), base(write({ base: [...someKeys(), key('always')] }).base));
      else save(file('gemba.config.json'), top(write({ top: someKeys() }).top));
      if (random() < 0.2) writeFileSync(file(pick(['base.json', 'gemba.config.json'])), '{');
      await sleep(random() * 400);
    }
    save(file('gemba.config.json'), top(write({ top: [] }).top));
    save(file('base.json'), base(write({ base: [key('always')] }).base));
    await until('all have the last', () =>
      all.every((one) => one.live.current!.config.pools['api']!.keys.length === 1),
    );
    isOver = true;
    await Promise.all(working);
    expect(broker!.exitCode).toBeNull();
    const revisions = new Set(
      all.flatMap(({ heard }) => heard.flatMap((one) => (one.type === 'granted' ? one.grant.revision! : []))),
    );
    expect([saves > 8, count > 100, revisions.size > 2]).toEqual([true, true, true]);
  });
});

function lastErrors(client: ConfigClient): readonly string[] {
  const last = client.heard.findLast((heard) => heard.type === 'config');
  return last?.errors ?? ['nothing was heard'];
}
