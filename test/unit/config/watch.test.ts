import {
  mkdirSync,
  mkdtempSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { loadGembaConfig, watchGembaConfig, type ConfigWatcher } from '../../../src/config/index.ts';

let folder: string;
let file: string;
let announced: string[];
let watcher: ConfigWatcher | undefined;

function configOf(retries: number | string): string {
  return JSON.stringify({ pools: { api: { keys: ['a'], maxRetries: retries } } });
}

async function watch(revision?: string): Promise<void> {
  watcher = watchGembaConfig(
    file,
    ({ config, error }) =>
      announced.push(config ? `retries ${config.pools['api']?.maxRetries}` : error.message),
    { env: {}, revision },
  );
  await watcher.ready;
}

/** Until the last told is this; then what was told in between is settled, too. */
async function last(text: string): Promise<void> {
  await vi.waitFor(() => expect(announced.at(-1)).toContain(text), { timeout: 5000, interval: 20 });
}

beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'gemba-watch-')));
  file = join(folder, 'gemba.config.json');
  announced = [];
  writeFileSync(file, configOf(1));
});

afterEach(async () => {
  await watcher?.close();
  rmSync(folder, { recursive: true, force: true });
});

describe('A watched config file', () => {
  test('is told when it changes, within a second', async () => {
    await watch();
    const start = performance.now();
    writeFileSync(file, configOf(2));
    await last('retries 2');
    expect(performance.now() - start).toBeLessThan(1000);
    expect(announced).toEqual(['retries 2']);
  });

  test('is told once for several writes at once, and not for a text that is the same', async () => {
    await watch();
    writeFileSync(file, configOf(1));
    for (const retries of [2, 3, 4, 5]) writeFileSync(file, configOf(retries));
    await last('retries 5');
    writeFileSync(file, configOf(5));
    writeFileSync(file, configOf(6));
    await last('retries 6');
    expect(announced).toEqual(['retries 5', 'retries 6']);
  });

  test('is told with its problems while it is invalid, then again', async () => {
    await watch();
    writeFileSync(file, configOf('many'));
    await last('maxRetries');
    expect(announced[0]).toBe(
      `gemba.config.json is not valid (1 problem):\n  ${file}:1:44  pools.api.maxRetries: must be an integer of 0 or more; found "many"\n(GEMBA_CONFIG_INVALID)`,
    );
    writeFileSync(file, configOf(1));
    await last('retries 1');
    expect(announced).toHaveLength(2);
  });

  test('may be replaced by another file, again and again', async () => {
    await watch();
    for (const retries of [2, 3, 4]) {
      writeFileSync(`${file}.tmp`, configOf(retries));
      renameSync(`${file}.tmp`, file);
      await last(`retries ${retries}`);
    }
    expect(announced).toEqual(['retries 2', 'retries 3', 'retries 4']);
  });

  test('may go and come back', async () => {
    await watch();
    unlinkSync(file);
    await last('there is no file');
    writeFileSync(file, configOf(1));
    await last('retries 1');
    writeFileSync(file, configOf(2));
    await last('retries 2');
    expect(announced).toHaveLength(3);
  });

  test('may be a link', async () => {
    const target = join(folder, 'target.json');
    renameSync(file, target);
    symlinkSync(target, file);
    await watch();
    writeFileSync(target, configOf(2));
    await last('retries 2');
  });

  test('may have changed since the caller read it', async () => {
    const { revision } = loadGembaConfig(file, { env: {} });
    writeFileSync(file, configOf(2));
    await watch(revision);
    await last('retries 2');
  });

  test('is told no more after close', async () => {
    await watch();
    writeFileSync(file, configOf(2));
    await watcher?.close();
    await watch();
    writeFileSync(file, configOf(3));
    await last('retries 3');
    expect(announced).toEqual(['retries 3']);
  });

  test('is told with each field that changed since it was good', async () => {
    const changes: unknown[] = [];
    watcher = watchGembaConfig(file, (change) => changes.push(change.changes ?? change.error?.name), {
      env: {},
    });
    await watcher.ready;
    writeFileSync(file, configOf('many'));
    await vi.waitFor(() => expect(changes).toEqual(['GembaError']), { timeout: 5000, interval: 20 });
    writeFileSync(file, configOf(4));
    const change = [{ path: 'pools.api.maxRetries', old: 1, new: 4 }];
    await vi.waitFor(() => expect(changes).toEqual(['GembaError', change]), { timeout: 5000, interval: 20 });
  });

  test('is seen by looking where no event comes: a link that points elsewhere now', async () => {
    const [before, after] = [join(folder, 'before.json'), join(folder, 'other', 'after.json')];
    mkdirSync(join(folder, 'other'));
    renameSync(file, before);
    writeFileSync(after, configOf(7));
    symlinkSync(before, file);
    await watch();
    symlinkSync(after, `${file}.new`);
    renameSync(`${file}.new`, file);
    await last('retries 7');
  });

  test('can be closed before it is ready', async () => {
    const early = watchGembaConfig(file, () => announced.push('told'), { env: {} });
    await early.close();
    await early.ready;
    expect(announced).toEqual([]);
  });
});
