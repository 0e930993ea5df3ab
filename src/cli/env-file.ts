import { readFileSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { parseEnv } from 'node:util';
import { GembaError } from '../core/errors.ts';
import type { Env } from '../config/variables.ts';

/** The variables of the file that `--env` names, under those that are set already. */
export function withNamedFile(file: string, folder: string, env: Env): Env {
  const path = resolve(folder, file);
  if (isFile(path)) return { ...readEnv(path), ...env };
  throw new GembaError('GEMBA_USAGE', `--env names ${path}, but there is no such file`);
}

/** The variables of `.env` beside the configuration, where there is one, under those that are set already. */
export function withFileBeside(config: string, env: Env): Env {
  const path = fileBeside(config);
  return isFile(path) ? { ...readEnv(path), ...env } : env;
}

/** The file of variables that counts, in words. */
export function placeOfVariables(named: string | undefined, config: string, folder: string): string {
  if (named !== undefined) return resolve(folder, named);
  const path = fileBeside(config);
  return isFile(path) ? path : `${path} (not there)`;
}

function fileBeside(config: string): string {
  return join(dirname(config), '.env');
}

function readEnv(path: string): Env {
  return parseEnv(readFileSync(path, 'utf8').replace(/^\uFEFF/, ''));
}

/** Also a pipe, such as the `<(…)` of a shell. */
function isFile(path: string): boolean {
  const stats = statSync(path, { throwIfNoEntry: false });
  return stats !== undefined && !stats.isDirectory();
}
