import { basename } from 'node:path';
import type { Revision } from '../../config/live.ts';
import type { EndpointConfig, KeyConfig } from '../../config/types.ts';
import type { MemberStatus, PoolStatus } from '../../core/admin.ts';

/** What the configuration says of a member; null: no limit. */
interface MemberSettings {
  readonly enabled: boolean;
  readonly weight: number;
  readonly maxConcurrent: number | null;
  readonly rpm: number | null;
}

/** A member as the page shows it. */
interface LiveMember extends MemberStatus {
  /** The configuration itself keeps it out. */
  readonly off: boolean;
  /** Null where the file does not hold it: it comes from a variable, or from another environment. */
  readonly set: MemberSettings | null;
}

export interface LivePool extends Omit<PoolStatus, 'members'> {
  readonly members: readonly LiveMember[];
}

/** The configuration in force. */
export interface ConfigShown {
  /** The file's name, without its folder. */
  readonly file: string;
  readonly revision: string;
  /** False where a later state of the file was refused. */
  readonly valid: boolean;
}

export function shownConfig({ config }: Revision, errors: readonly string[]): ConfigShown {
  return { file: basename(config.path), revision: config.revision, valid: errors.length === 0 };
}

/** `fromVariables`: the pools whose keys do not stand in the file. */
export function withConfig(
  pool: PoolStatus,
  { config }: Revision,
  fromVariables: ReadonlySet<string>,
): LivePool {
  const { endpoints = [], keys = [] } = config.pools[pool.name] ?? {};
  const found = { endpoint: byName(endpoints), key: byName(keys) };
  const keysInFile = !fromVariables.has(pool.name);
  return {
    ...pool,
    members: pool.members.map((member) => {
      const own = found[member.kind].get(member.name);
      const isInFile = member.kind === 'endpoint' || keysInFile;
      return { ...member, off: own?.enabled === false, set: own && isInFile ? settingsOf(own) : null };
    }),
  };
}

function settingsOf({ enabled, weight, maxConcurrent, rpm }: EndpointConfig | KeyConfig): MemberSettings {
  return { enabled, weight, maxConcurrent: maxConcurrent ?? null, rpm: rpm ?? null };
}

function byName<T extends { readonly name: string }>(members: readonly T[]): ReadonlyMap<string, T> {
  return new Map(members.map((member) => [member.name, member]));
}
