import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { findConfig } from '../config/find.ts';
import { envFileOf, variablesFor } from '../config/env-file.ts';
import { readSource } from '../config/layers.ts';
import { configOf, loadGembaConfig } from '../config/load.ts';
import { ConfigError } from '../config/problems.ts';
import type { LoadedConfig } from '../config/types.ts';
import { GembaError, withoutCode } from '../core/errors.ts';
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

/** Where the configuration is, if anywhere, and the environment with the file of variables that was named. */
export function findFiles(
  options: ConfigFiles,
  { folder, env: set }: Terminal,
): { readonly file: string | undefined; readonly env: Terminal['env'] } {
  const found = options.config ?? findConfig({ env: set, from: folder, cwd: folder });
  const file = found === undefined ? undefined : resolve(folder, found);
  const named = options.envFile ?? (set['GEMBA_ENV_FILE'] || undefined);
  const GEMBA_ENV_FILE = named === undefined ? undefined : resolve(folder, named);
  // GEMBA_PIN applies to runs only, not to administration.
  return { file, env: { ...set, GEMBA_ENV_FILE, GEMBA_PIN: undefined } };
}

/** The configuration with its variables; `needed` says why, where one is missing. */
export function loadConfig(
  options: ConfigFiles,
  terminal: Terminal,
  needed: string = KNOWN_BY_VALUE,
): Loaded {
  const { file, env } = findFiles(options, terminal);
  if (file === undefined) return { config: loadGembaConfig(undefined, { env, cwd: terminal.folder }), env };
  const { env: variables, files } = variablesFor(file, env);
  try {
    return { config: configOf(readSource(file), variables, files), env };
  } catch (error) {
    throw withAdvice(error, needed, placeOfVariables(file, env));
  }
}

function placeOfVariables(file: string, env: Terminal['env']): string {
  const path = envFileOf(file, env);
  return existsSync(path) ? path : `${path} (not there)`;
}

function withAdvice(error: unknown, needed: string, place: string): unknown {
  const unset = error instanceof ConfigError && error.problems.some(({ message }) => UNSET.test(message));
  if (!unset) return error;
  const advice =
    `${needed}\n` + `Variables are taken from the environment, then from ${place}. Another file: --env FILE`;
  return new GembaError('GEMBA_CONFIG_INVALID', `${withoutCode(error.message)}\n${advice}`, { cause: error });
}
