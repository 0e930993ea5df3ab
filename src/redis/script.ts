import { createHash } from 'node:crypto';
import { LUA } from './scripts.ts';

export type ScriptName = keyof typeof LUA;

/** One run of a script: which, and with what. */
export interface ScriptCall {
  readonly script: ScriptName;
  readonly keys: readonly string[];
  readonly args: readonly string[];
}

const SHA = Object.fromEntries(
  Object.entries(LUA).map(([name, text]) => [name, createHash('sha1').update(text).digest('hex')]),
) as Readonly<Record<ScriptName, string>>;

/** Runs a script by its hash; a server that does not know it yet gets the text. */
export async function evaluate(
  send: (command: readonly string[]) => Promise<unknown>,
  { script, keys, args }: ScriptCall,
): Promise<unknown> {
  const rest = [String(keys.length), ...keys, ...args];
  try {
    return await send(['EVALSHA', SHA[script], ...rest]);
  } catch (error) {
    if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error;
    return send(['EVAL', LUA[script], ...rest]);
  }
}
