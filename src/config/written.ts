import { formatPath, type Path } from './problems.ts';
import type { LoadedConfig } from './types.ts';
import type { Reference } from './variables.ts';

/** Fields of a member that hold secrets: they are shown by fingerprints, since a part of one may stand in the file. */
const SECRET_FIELDS: readonly unknown[] = ['value', 'fields', 'totp', 'headers'];

/** The texts with variables by the paths that changes have: members by name, not by position. */
export function writtenTexts(
  references: readonly Reference[],
  pools: LoadedConfig['pools'],
): Record<string, string> {
  return Object.fromEntries(
    references.flatMap(({ path, text }) => {
      const named = byName(path, pools);
      return named === null ? [] : [[formatPath(named), text]];
    }),
  );
}

function byName(path: Path, pools: LoadedConfig['pools']): Path | null {
  const [root, pool, list, index, ...rest] = path;
  if (root !== 'pools' || typeof pool !== 'string' || typeof index !== 'number') return path;
  if (list !== 'endpoints' && list !== 'keys') return path;
  const member = pools[pool]?.[list][index];
  // What stands for a whole member is the url of an endpoint, or the value of a key.
  const [field = list === 'keys' ? 'value' : 'url', ...deeper] = rest;
  if (member === undefined || SECRET_FIELDS.includes(field)) return null;
  return [root, pool, list, member.name, field, ...deeper];
}
