import { createRedactor } from '../shared/redact.ts';
import { secretsOf } from './secrets.ts';
import type { LoadedConfig } from './types.ts';

const redactors = new WeakMap<LoadedConfig, (text: string) => string>();

/** A function that removes the secrets of a configuration from a text, made once for each revision. */
export function redactorOf(config: LoadedConfig | null): (text: string) => string {
  if (!config) return createRedactor([]);
  const known = redactors.get(config);
  if (known) return known;
  const redact = createRedactor(secretsOf(config));
  redactors.set(config, redact);
  return redact;
}
