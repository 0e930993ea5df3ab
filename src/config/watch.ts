import type { FSWatcher } from 'chokidar';
import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { changesBetween, type ConfigFieldChange } from './edits/changes.ts';
import { loadGembaConfig, type LoadOptions } from './load.ts';
import { readConfigText, revisionOf } from './read.ts';
import type { LoadedConfig } from './types.ts';

/** The text of the file changed: to a valid configuration, or to something that is none. */
export type ConfigChange =
  | {
      readonly config: LoadedConfig;
      /** What differs from the last valid configuration that was told or, at first, from the file as it was. */
      readonly changes: readonly ConfigFieldChange[];
      readonly error?: undefined;
    }
  | { readonly error: Error; readonly config?: undefined; readonly changes?: undefined };

export interface WatchOptions extends LoadOptions {
  /** The revision that the caller has. Default: that of the file as it is now. */
  readonly revision?: string | undefined;
}

export interface ConfigWatcher {
  /** Settles when the watcher is at work; changes since the call are told also without waiting for it. */
  readonly ready: Promise<void>;
  /** After it nothing is told any more. */
  close(): Promise<void>;
}

/** A file counts as saved when nothing has touched it for so long. */
const QUIET_MS = 100;
/** Where the system tells of no change (folders of a network, a link that points elsewhere now), looking does. */
const LOOK_MS = 300;

/**
 * Tells each change of a config file's text, once it has settled. After an invalid save the caller keeps what it has.
 *
 * @example
 * const watcher = watchGembaConfig(path, ({ config, changes, error }) => (config ? use(config) : warn(error.message)));
 */
export function watchGembaConfig(
  path: string,
  onChange: (change: ConfigChange) => void,
  options: WatchOptions = {},
): ConfigWatcher {
  const file = resolve(options.cwd ?? process.cwd(), path);
  let last = loaded(file, options).config;
  let state = options.revision ?? stateOf(file);
  let doubtful = '';
  const compare = (): 'again' | undefined => {
    const now = stateOf(file);
    if (now === state) return undefined;
    const { config, error } = loaded(file, options);
    if (!config && doubtful !== now) {
      doubtful = now;
      return 'again';
    }
    state = config?.revision ?? now;
    if (config) onChange({ config, changes: last ? changesBetween(last, config) : [] });
    else onChange({ error });
    last = config ?? last;
    return undefined;
  };
  return watchFile(file, compare, (error) => onChange({ error }));
}

/**
 * Calls `onSettled` when the file may have changed and was left alone since; once more after the same quiet time where
 * it says so, since what was read may be half a save.
 */
export function watchFile(
  file: string,
  onSettled: () => 'again' | undefined,
  onError: (error: Error) => void,
): ConfigWatcher {
  let closed = false;
  let timer: NodeJS.Timeout | undefined;
  let stamp = stampOf(file);
  const touched = (): void => {
    clearTimeout(timer);
    if (!closed) timer = setTimeout(settle, QUIET_MS);
  };
  const settle = (): void => {
    if (onSettled() === 'again') touched();
  };
  const look = setInterval(() => {
    const now = stampOf(file);
    if (now !== stamp) touched();
    stamp = now;
  }, LOOK_MS);
  const failed = (cause: unknown): void => {
    if (!closed) onError(new Error(`${file} cannot be watched`, { cause }));
  };
  const watcher = start(file, touched, failed);
  return {
    ready: watcher.then((started) => started?.ready).then(touched),
    async close() {
      closed = true;
      clearTimeout(timer);
      clearInterval(look);
      await (await watcher)?.close();
    },
  };
}

interface Started {
  readonly ready: Promise<void>;
  close(): Promise<void>;
}

async function start(
  file: string,
  touched: () => void,
  failed: (error: unknown) => void,
): Promise<Started | undefined> {
  try {
    // Not at the top: most processes load a config and watch nothing.
    const { watch } = await import('chokidar');
    const watcher: FSWatcher = watch(file, { ignoreInitial: true });
    watcher.on('all', touched).on('error', failed);
    let settle = (): void => {};
    const ready = new Promise<void>((resolveReady) => (settle = resolveReady));
    watcher.once('ready', settle);
    return { ready, close: () => watcher.close().then(settle) };
  } catch (error) {
    failed(error);
    return undefined;
  }
}

function loaded(
  file: string,
  options: WatchOptions,
): { config: LoadedConfig; error?: undefined } | { config?: undefined; error: Error } {
  try {
    return { config: loadGembaConfig(file, options) };
  } catch (error) {
    return { error: error instanceof Error ? error : new Error(String(error)) };
  }
}

/** Differs whenever the text does; a file that is gone or unreadable is a state, too. */
function stateOf(file: string): string {
  try {
    return revisionOf(readConfigText(file));
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** Differs after every save, also where another file took the place. */
function stampOf(file: string): string {
  try {
    const { ino, size, mtimeMs, ctimeMs } = statSync(file);
    return `${ino} ${size} ${mtimeMs} ${ctimeMs}`;
  } catch (error) {
    return String((error as NodeJS.ErrnoException).code);
  }
}
