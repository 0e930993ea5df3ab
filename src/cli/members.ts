import leven from 'leven';
import type { EndpointConfig, KeyConfig, LoadedConfig } from '../config/types.ts';
import type { MemberStatus, PoolStatus } from '../core/admin.ts';
import { GembaError } from '../core/errors.ts';

/** A name as it was given, and what it names: mostly one member, or an endpoint and a key of one name. */
export interface NamedMembers {
  readonly pool: string;
  readonly name: string;
  readonly members: readonly MemberStatus[];
}

const MAX_NAMES = 20;

/** What the configuration says of a member. */
export function configured(
  config: LoadedConfig,
  pool: string,
  { kind, name }: Pick<MemberStatus, 'kind' | 'name'>,
): EndpointConfig | KeyConfig | undefined {
  const { endpoints = [], keys = [] } = config.pools[pool] ?? {};
  return (kind === 'endpoint' ? endpoints : keys).find((member) => member.name === name);
}

/** The members of that name; an error that lists all names where there is none. */
export function findMembers(
  target: string,
  config: LoadedConfig,
  pools: readonly PoolStatus[],
): NamedMembers {
  const [pool = '', name = '', ...rest] = target.split('/');
  const there = pools.find((each) => each.name === pool);
  const members = there?.members.filter((member) => member.name === name) ?? [];
  if (members.length > 0 && rest.length === 0) return { pool, name, members };
  const left = config.skipped[pool];
  if (left !== undefined) {
    throw new GembaError('GEMBA_POOL_UNKNOWN', `The pool "${pool}" is left out for now: ${left}.`);
  }
  const code = there === undefined && target.includes('/') ? 'GEMBA_POOL_UNKNOWN' : 'GEMBA_USAGE';
  throw new GembaError(code, unknown(target, config.path, pools));
}

function unknown(target: string, file: string, pools: readonly PoolStatus[]): string {
  const all = pools.flatMap((pool) => pool.members.map((member) => `${pool.name}/${member.name}`));
  const { names, isNear } = nearestFirst(target, [...new Set(all)]);
  const shown = names.slice(0, MAX_NAMES).join(', ');
  const more = names.length > MAX_NAMES ? ` and ${names.length - MAX_NAMES} more` : '';
  const form = target.includes('/') ? '' : ' (a name is POOL/NAME)';
  const hint = isNear ? ` Did you mean ${names[0]}?` : '';
  return `There is no "${target}"${form} in ${file}.${hint}\nKnown: ${shown || 'none'}${more}`;
}

/** The known names, in their own order where none is near. A name without its pool is near to itself in any. */
export function nearestFirst(
  target: string,
  known: readonly string[],
): { readonly names: readonly string[]; readonly isNear: boolean } {
  const wanted = target.toLowerCase();
  const start = wanted.includes('/') ? () => 0 : (name: string): number => name.indexOf('/') + 1;
  const distances = new Map(
    known.map((name) => [name, leven(wanted, name.slice(start(name)).toLowerCase())]),
  );
  const distance = (name: string): number => distances.get(name) ?? Infinity;
  const sorted = [...known].sort((left, right) => distance(left) - distance(right));
  const isNear = distance(sorted[0] ?? '') <= Math.max(2, Math.floor(wanted.length / 3));
  return { names: isNear ? sorted : known, isNear };
}
