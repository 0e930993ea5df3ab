import { mkdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadGembaConfig } from '../../../src/config/index.ts';
import { ConfigError } from '../../../src/config/problems.ts';
import type { LoadedConfig } from '../../../src/config/types.ts';

type Env = Record<string, string | undefined>;

// Its own for each process of tests, and there only while it is read.
const folder = join(realpathSync(tmpdir()), `gemba-config-${process.pid}`);

export const FILE: string = join(folder, 'gemba.config.json');

/** Loads a text as the config file of a project in a temporary folder. */
export function load(text: string, env: Env = {}): LoadedConfig {
  return loadWith(text, { env });
}

export function loadWith(text: string, options?: { env: Env }): LoadedConfig {
  mkdirSync(folder, { recursive: true });
  try {
    writeFileSync(FILE, text);
    return loadGembaConfig(FILE, options);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

export function loadValue(value: unknown, env: Env = {}): LoadedConfig {
  return load(JSON.stringify(value), env);
}

/** The error's message, with a path that is the same on each machine. */
export function refusal(text: string, env: Env = {}): string {
  return refusalError(text, env).message.replaceAll(FILE, '/project/gemba.config.json');
}

export function refusalError(text: string, env: Env = {}): ConfigError {
  try {
    load(text, env);
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error('the configuration was accepted');
}

/** A pool of one endpoint with further fields. */
export function withPool(fields: string, more = ''): string {
  return `{ "pools": { "api": { "endpoints": ["https://a.test"], ${fields} }${more} } }`;
}
