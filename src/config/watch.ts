import type { FSWatcher } from 'chokidar';
import { resolve } from 'node:path';
import { loadGembaConfig, type LoadOptions } from './load.ts';
import { readConfigText, revisionOf } from './read.ts';
import type { LoadedConfig } from './types.ts';

/** The text of the file changed: to a valid configuration, or to something that is none. */
export type ConfigChange =
  | { readonly config: LoadedConfig; readonly error?: undefined }
  | { readonly error: Error; readonly config?: undefined };

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

const DEBOUNCE_MS = 100;

/**
 * Tells each change of a config file's text, once it has settled. After an invalid save the caller keeps what it has.
 *
 * @example
 * const watcher = watchGembaConfig(path, ({ config, error }) => (config ? use(config) : warn(error.message)));
 */
export function watchGembaConfig(
  path: string,
  onChange: (change: ConfigChange) => void,
  options: WatchOptions = {},
): ConfigWatcher {
  const file = resolve(options.cwd ?? process.cwd(), path);
  let state = options.revision ?? stateOf(file);
  let closed = false;
  let timer: NodeJS.Timeout | undefined;
  const compare = (): void => {
    if (stateOf(file) === state) return;
    const change = changeOf(file, options);
    state = change.config?.revision ?? stateOf(file);
    onChange(change);
  };
  const touched = (): void => {
    clearTimeout(timer);
    if (!closed) timer = setTimeout(compare, DEBOUNCE_MS);
  };
  const failed = (error: unknown): void => {
    if (!closed) onChange({ error: new Error(`${file} cannot be watched`, { cause: error }) });
  };
  const watcher = start(file, touched, failed);
  return {
    ready: watcher.then((started) => started?.ready).then(touched),
    async close() {
      closed = true;
      clearTimeout(timer);
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

function changeOf(file: string, options: WatchOptions): ConfigChange {
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
