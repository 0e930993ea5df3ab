import { dirname, resolve } from 'node:path';
import * as jsonc from 'jsonc-parser';
import { variablesFor } from './env-file.ts';
import { asObject } from './json.ts';
import { readConfigText } from './source.ts';
import { resolveVariables } from './variables.ts';
import type { Env } from '../shared/env.ts';

/** What one file of a configuration holds, as far as it can be read, with the variables that are set. */
export interface RoughFile {
  readonly path: string;
  readonly value: unknown;
}

/** A file and those that it extends, however broken they are, the one that counts most first. */
export function roughFiles(path: string, set: Env): RoughFile[] {
  const env = variablesIn(path, set);
  const files: RoughFile[] = [];
  const add = (file: string): void => {
    if (files.some((known) => known.path === file)) return;
    // The parser reads what it can of a broken text.
    const parsed: unknown = jsonc.parse(textIn(file), [], { allowTrailingComma: true });
    files.push({ path: file, value: resolveVariables(parsed, env, () => dirname(file)).value });
    const given = asObject(parsed)['extends'];
    const bases: unknown[] = Array.isArray(given) ? given : [given];
    for (const base of bases.toReversed())
      if (typeof base === 'string' && base !== '') add(resolve(dirname(file), base));
  };
  add(path);
  return files;
}

function variablesIn(path: string, env: Env): Env {
  try {
    return variablesFor(path, env).env;
  } catch {
    return env;
  }
}

function textIn(path: string): string {
  try {
    return readConfigText(path);
  } catch {
    return '{}';
  }
}
