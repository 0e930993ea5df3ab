import type { FSWatcher } from 'chokidar';
import { resolve } from 'node:path';
import { changesBetween, type ConfigFieldChange } from './edits/changes.ts';
import { readSource } from './layers.ts';
import { configOf, type LoadOptions } from './load.ts';
import type { LoadedConfig, ReadFile } from './types.ts';
import { stampOf } from '../shared/file-stamp.ts';

/** The configuration changed: to a valid one, or to one that is not. */
export type ConfigChange =
  | {
      readonly config: LoadedConfig;
      /** What differs from the last valid configuration that was reported or, at first, from the file as it was. */
      readonly changes: readonly ConfigFieldChange[];
      readonly error?: undefined;
    }
  | { readonly error: Error; readonly config?: undefined; readonly changes?: undefined };

export interface WatchOptions extends LoadOptions {
  /** The revision that the caller has. Default: that of the file as it is now. */
  readonly revision?: string | undefined;
}

export interface ConfigWatcher {
  /** Settles when the watcher is at work; changes since the call are reported also without waiting for it. */
  readonly ready: Promise<void>;
  /** After it nothing is reported any more. */
  close(): Promise<void>;
}

/** A file counts as saved when nothing has changed it for so long. */
const QUIET_MS = 100;
/** Where the system reports no change (network folders, a link that has another target now), looking finds it. */
const LOOK_MS = 300;

/**
 * Reports each change of a configuration, once it has settled: of its file, of all that it extends, of files of values.
 * After an invalid save the caller keeps what it has.
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
  const { env = process.env } = options;
  let looked = look(file, env);
  let last = looked.config;
  let state = options.revision === undefined ? looked.state : stateOf(options.revision, looked.valueFiles);
  let unconfirmed = '';
  const compare = (): 'again' | undefined => {
    looked = look(file, env, looked.valueFiles);
    const { config, error } = looked;
    if (looked.state === state) return undefined;
    if (!config && unconfirmed !== looked.state) {
      unconfirmed = looked.state;
      return 'again';
    }
    state = looked.state;
    if (config) onChange({ config, changes: last ? changesBetween(last, config) : [] });
    else onChange({ error: error! });
    last = config ?? last;
    return undefined;
  };
  return watchFiles(
    () => looked.files,
    compare,
    (error) => onChange({ error }),
  );
}

/** A configuration as it is now, and the files that a change of it may come from. */
interface Looked {
  readonly config?: LoadedConfig;
  readonly error?: Error;
  /** Differs whenever the configuration does; one that cannot be used is a state, too. */
  readonly state: string;
  readonly files: readonly string[];
  readonly valueFiles: readonly ReadFile[];
}

function look(
  file: string,
  env: NonNullable<LoadOptions['env']>,
  valueFiles: readonly ReadFile[] = [],
): Looked {
  const layers = new Set<string>();
  const found = (files: readonly ReadFile[]): Pick<Looked, 'files' | 'valueFiles'> => ({
    files: [...layers, ...files.map(({ path }) => path)],
    valueFiles: files,
  });
  try {
    const config = configOf(readSource(file, layers), env);
    return { config, state: stateOf(config.revision, config.valueFiles), ...found(config.valueFiles) };
  } catch (cause) {
    const error = cause instanceof Error ? cause : new Error(String(cause));
    // What is missing may come into one of the files of values that it had.
    return { error, state: error.message, ...found(valueFiles) };
  }
}

function stateOf(revision: string, files: readonly ReadFile[]): string {
  return [revision, ...files.map(({ stamp }) => stamp)].join('\n');
}

/**
 * Calls `onSettled` when one of the files may have changed and none was changed for a moment since; once more after the
 * same time where it returns `again`, since what was read may be half a save. Asks for `files` again and again.
 */
export function watchFiles(
  files: () => readonly string[],
  onSettled: () => 'again' | undefined,
  onError: (error: Error) => void,
): ConfigWatcher {
  let closed = false;
  let timer: NodeJS.Timeout | undefined;
  let watched = new Map(files().map((file) => [file, stampOf(file)]));
  let started: Started | undefined;
  let observed = [...watched.keys()];
  const touched = (): void => {
    clearTimeout(timer);
    if (!closed) timer = setTimeout(settle, QUIET_MS);
  };
  const follow = (): void => {
    const wanted = files();
    // What is new may have changed since its caller read it.
    if (wanted.some((file) => !watched.has(file))) touched();
    watched = new Map(wanted.map((file) => [file, watched.get(file) ?? stampOf(file)]));
    if (!started) return;
    const before = observed;
    observed = [...watched.keys()];
    started.change(before, observed);
  };
  const settle = (): void => {
    if (onSettled() === 'again') touched();
    follow();
  };
  const looking = setInterval(() => {
    follow();
    for (const [file, stamp] of watched) {
      const now = stampOf(file);
      if (now === stamp) continue;
      watched.set(file, now);
      touched();
    }
  }, LOOK_MS);
  const failed = (cause: unknown): void => {
    if (!closed) onError(new Error(`${[...watched.keys()].join(', ')} cannot be watched`, { cause }));
  };
  const watcher = start(observed, touched, failed).then((done) => {
    started = done;
    follow();
    return done;
  });
  return {
    ready: watcher.then((done) => done?.ready).then(touched),
    async close() {
      closed = true;
      clearTimeout(timer);
      clearInterval(looking);
      await (await watcher)?.close();
    },
  };
}

interface Started {
  readonly ready: Promise<void>;
  change(before: readonly string[], after: readonly string[]): void;
  close(): Promise<void>;
}

async function start(
  files: readonly string[],
  touched: () => void,
  failed: (error: unknown) => void,
): Promise<Started | undefined> {
  try {
    // Not at the top: most processes load a config and watch nothing.
    const { watch } = await import('chokidar');
    const watcher: FSWatcher = watch([...files], { ignoreInitial: true });
    watcher.on('all', touched).on('error', failed);
    let settle = (): void => {};
    const ready = new Promise<void>((resolveReady) => (settle = resolveReady));
    watcher.once('ready', settle);
    return {
      ready,
      change: (before, after) => {
        const added = after.filter((file) => !before.includes(file));
        const gone = before.filter((file) => !after.includes(file));
        if (added.length > 0) watcher.add(added);
        if (gone.length > 0) watcher.unwatch(gone);
      },
      close: () => watcher.close().then(settle),
    };
  } catch (error) {
    failed(error);
    return undefined;
  }
}
