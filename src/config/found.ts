import { isObject } from './json.ts';
import type { Path } from './problems.ts';
import { isPublicField } from './secrets.ts';

/** Fields of a key that are not secret. What is not among them may be a misspelt secret. */
const PUBLIC_OF_KEY: ReadonlySet<unknown> = new Set([
  'name',
  'maxConcurrent',
  'rpm',
  'weight',
  'enabled',
  'labels',
  'quotaGroup',
  'endpoints',
]);
const MAX_SHOWN = 60;

/**
 * What stands in the file at a path, as a message may quote it: variables by their names. Null where there is nothing, or
 * where it may be secret.
 */
export function foundAt(value: unknown, path: Path): string | null {
  let found = value;
  for (const step of path) {
    // What the schema made from a short form stands in the file as one string.
    if (typeof found === 'string') break;
    found = isObject(found) ? found[step as string] : undefined;
  }
  if (found === undefined) return null;
  if (isObject(found)) return Array.isArray(found) ? 'an array' : 'an object';
  if (isSecret(path)) return null;
  return JSON.stringify(typeof found === 'string' ? shown(found) : found);
}

/** Whether a secret stands at this place, or where somebody may have put one by mistake. */
function isSecret([root, , list, index, field, name]: Path): boolean {
  if (root !== 'pools') return false;
  if (list === 'auth') return true;
  if (list === 'endpoints') return field === 'headers';
  if (list !== 'keys') return false;
  if (index === 'fromEnv' || field === undefined) return true;
  return field === 'fields' ? !(typeof name === 'string' && isPublicField(name)) : !PUBLIC_OF_KEY.has(field);
}

/** Without what an address may carry before its host and behind its path. */
function shown(text: string): string {
  const bare = text.replace(/(^|\/\/)[^]*@/, '$1…@').replace(/[?#][^]*$/, (rest) => `${rest[0]}…`);
  return bare.length > MAX_SHOWN ? `${bare.slice(0, MAX_SHOWN)}…` : bare;
}
