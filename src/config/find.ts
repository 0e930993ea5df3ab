import { readFileSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { GembaError } from '../core/errors.ts';
import { isTrusted } from '../shared/file-trust.ts';
import type { Env } from '../shared/env.ts';

export const CONFIG_FILE = 'gemba.config.json';

/** Where to look for a config file. */
export interface FindOptions {
  /** Its `GEMBA_CONFIG` goes before all else; a relative path there starts at `cwd`. */
  readonly env: Env;
  /** The worker option `gembaConfig`; a relative path starts at `from`. */
  readonly option?: string | undefined;
  /** How its user gives it. Default: as the worker option. */
  readonly optionName?: string;
  /** The Playwright config's folder: the search goes from here upward. */
  readonly from: string;
  readonly cwd?: string | undefined;
}

/**
 * The config file's absolute path, or nothing where there is none. A file that is named must exist; one that is found
 * must not be a stranger's.
 */
export function findConfig(options: FindOptions): string | undefined {
  const { env, option, optionName = 'the option gembaConfig', from, cwd = process.cwd() } = options;
  const variable = env['GEMBA_CONFIG'];
  if (variable !== undefined && variable !== '')
    return named(resolve(cwd, variable), 'the variable GEMBA_CONFIG');
  if (option !== undefined && option !== '') return named(resolve(from, option), optionName);
  const file = nearest(resolve(from), CONFIG_FILE);
  if (file !== undefined && !isTrusted(file, resolve(from))) throw foreign(file);
  return file;
}

/** Where the config file is or, where there is none, would be: for whoever joins a run whose file is no good just now. */
export function expectedConfig(options: FindOptions): string {
  const { env, option, from, cwd = process.cwd() } = options;
  if (env['GEMBA_CONFIG']) return resolve(cwd, env['GEMBA_CONFIG']);
  if (option) return resolve(from, option);
  const file = nearest(resolve(from), CONFIG_FILE);
  return file !== undefined && isTrusted(file, resolve(from)) ? file : join(resolve(from), CONFIG_FILE);
}

/** It says where the keys of the environment are sent, so not everybody may put one into a folder above. */
function foreign(file: string): GembaError {
  return new GembaError(
    'GEMBA_CONFIG_INVALID',
    `${file} is the nearest ${CONFIG_FILE}, but belongs to another user (${statSync(file).uid}), so it is not used. ` +
      'If it is meant, name it: by the variable GEMBA_CONFIG, the option gembaConfig, or --config.',
  );
}

/** The name of the project that a config file belongs to: of the nearest package.json, else of the file's folder. */
export function projectName(file: string): string {
  const manifest = nearest(dirname(file), 'package.json');
  const name = manifest === undefined ? undefined : nameIn(manifest);
  return name ?? (basename(dirname(file)) || 'project');
}

function nameIn(manifest: string): string | undefined {
  try {
    const { name } = JSON.parse(readFileSync(manifest, 'utf8')) as { name?: unknown };
    return typeof name === 'string' && name !== '' ? name : undefined;
  } catch {
    // A package.json that nobody can read names nothing; whoever needs it will say so.
    return undefined;
  }
}

/** The nearest file of that name, from a folder upward. */
function nearest(folder: string, name: string): string | undefined {
  const file = join(folder, name);
  if (isFile(file)) return file;
  const parent = dirname(folder);
  return parent === folder ? undefined : nearest(parent, name);
}

function named(file: string, source: string): string {
  if (isFile(file)) return file;
  throw new GembaError(
    'GEMBA_CONFIG_NOT_FOUND',
    `${source} names ${file}, but there is no such file; correct the name, or create a file with "npx gemba init"`,
  );
}

function isFile(file: string): boolean {
  return statSync(file, { throwIfNoEntry: false })?.isFile() === true;
}
