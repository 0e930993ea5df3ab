import { createRedactor, type Redact } from '../shared/redact.ts';
import { secretsInFile, secretsOf } from './secrets.ts';
import type { LoadedConfig } from './types.ts';
import type { Env } from '../shared/env.ts';

const redactors = new WeakMap<LoadedConfig, Redact>();

/** Removes the secrets of a configuration from a text; made once for each revision. */
export function redactorOf(config: LoadedConfig | null): Redact {
  if (!config) return createRedactor([]);
  const known = redactors.get(config);
  if (known) return known;
  const redact = createRedactor(secretsOf(config));
  redactors.set(config, redact);
  return redact;
}

/** The same for the files as they are now, whether they are valid or not. */
export function redactorOfFiles(files: readonly string[], env: Env): Redact {
  return createRedactor(files.flatMap((file) => secretsInFile(file, env)));
}
