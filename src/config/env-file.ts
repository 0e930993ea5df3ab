import { readFileSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { parseEnv } from 'node:util';
import { GembaError } from '../core/errors.ts';
import { decodeText, UnreadableText, withoutMark } from '../shared/decode-text.ts';
import { VARIABLES } from './environment.ts';
import type { ReadFile } from './types.ts';
import { stampOf } from '../shared/file-stamp.ts';
import type { Env } from '../shared/env.ts';

/** The variables of a configuration, with the files that some of them come from. */
export interface Variables {
  readonly env: Env;
  readonly files: readonly ReadFile[];
}

/** What came through pipes, which can be read only once. */
const piped = new Map<string, string>();

/**
 * The environment, and under it the variables of a file: the one that `GEMBA_ENV_FILE` names, else `.env` beside the
 * configuration. They are for the configuration alone: a variable of the plugin itself counts only where it is really set.
 */
export function variablesFor(configFile: string, env: Env): Variables {
  const path = envFileOf(configFile, env);
  const stamp = stampOf(path);
  const variables = readVariables(path, isNamed(env));
  if (!variables) return { env, files: [{ path, stamp }] };
  for (const own of Object.keys(VARIABLES)) delete variables[own];
  return { env: { ...variables, ...env }, files: [{ path, stamp }] };
}

/** The file of variables of a configuration, whether it exists or not. */
export function envFileOf(configFile: string, env: Env): string {
  return isNamed(env) ? resolve(env['GEMBA_ENV_FILE']!) : join(dirname(configFile), '.env');
}

function isNamed({ GEMBA_ENV_FILE }: Env): boolean {
  return GEMBA_ENV_FILE !== undefined && GEMBA_ENV_FILE !== '';
}

/** Null where there is no such file and none was named. */
function readVariables(path: string, isRequired: boolean): Record<string, string | undefined> | null {
  const stats = statSync(path, { throwIfNoEntry: false });
  // A pipe is a file, too, such as the `<(…)` of a shell.
  const isThere = stats !== undefined && !stats.isDirectory();
  if (!isThere && !isRequired) return null;
  const problem = (what: string, cause?: unknown): GembaError =>
    new GembaError('GEMBA_CONFIG_INVALID', `${what}.`, { cause });
  if (!isThere)
    throw problem(`The file of variables ${path}, which GEMBA_ENV_FILE or --env names, does not exist`);
  try {
    const text = piped.get(path) ?? withoutMark(decodeText(readFileSync(path)));
    if (!stats.isFile()) piped.set(path, text);
    return parseEnv(text);
  } catch (error) {
    if (error instanceof UnreadableText)
      throw problem(`The file of variables ${path} ${error.message}`, error);
    const { code } = error as NodeJS.ErrnoException;
    throw problem(`The file of variables ${path} cannot be read (${code})`, error);
  }
}
