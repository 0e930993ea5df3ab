import { resolve } from 'node:path';
import { findConfig } from '../config/find.ts';
import { loadGembaConfig } from '../config/load.ts';
import { ConfigError } from '../config/problems.ts';
import type { LoadedConfig } from '../config/types.ts';
import { GembaError } from '../core/errors.ts';
import { placeOfVariables, withFileBeside, withNamedFile } from './env-file.ts';
import type { Arguments } from './command.ts';
import type { Terminal } from './terminal.ts';

const UNSET = /^the variable \S+ is (?:not set|empty);/;

/** Which files a command reads. */
export interface ConfigFiles {
  /** Path of the configuration, as given. */
  readonly config: string | undefined;
  readonly envFile: string | undefined;
}

export interface Loaded {
  readonly config: LoadedConfig;
  readonly env: Terminal['env'];
}

const KNOWN_BY_VALUE =
  'No key is sent anywhere, but its value is needed: a key is known by its name and a fingerprint of its value.';

export function filesOf({ values }: Arguments): ConfigFiles {
  return { config: values.get('config'), envFile: values.get('env') };
}

/** Where the configuration is, if anywhere, and its variables: from the environment and a file of them. */
export function findFiles(
  options: ConfigFiles,
  { folder, env: set }: Terminal,
): { readonly file: string | undefined; readonly env: Terminal['env'] } {
  const { envFile } = options;
  const given = envFile === undefined ? set : withNamedFile(envFile, folder, set);
  const found = options.config ?? findConfig({ env: given, from: folder, cwd: folder });
  const file = found === undefined ? undefined : resolve(folder, found);
  const whole = envFile === undefined && file !== undefined ? withFileBeside(file, given) : given;
  // A pin restricts a run to some members; whoever looks after them means all.
  return { file, env: { ...whole, GEMBA_PIN: undefined } };
}

/** The configuration with its variables; `needed` says why, where one is missing. */
export function loadConfig(
  options: ConfigFiles,
  terminal: Terminal,
  needed: string = KNOWN_BY_VALUE,
): Loaded {
  const { folder } = terminal;
  const { file, env } = findFiles(options, terminal);
  try {
    return { config: loadGembaConfig(file, { env, cwd: folder }), env };
  } catch (error) {
    throw file === undefined
      ? error
      : withAdvice(error, needed, placeOfVariables(options.envFile, file, folder));
  }
}

function withAdvice(error: unknown, needed: string, place: string): unknown {
  const unset = error instanceof ConfigError && error.problems.some(({ message }) => UNSET.test(message));
  if (!unset) return error;
  const advice =
    `${needed}\n` + `Variables are taken from the environment, then from ${place}. Another file: --env FILE`;
  return new GembaError('GEMBA_CONFIG_INVALID', `${error.message}\n${advice}`, { cause: error });
}
