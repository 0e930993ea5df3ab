import { basename } from 'node:path';
import type { Revision } from '../../config/live.ts';
import type { EndpointConfig, KeyConfig } from '../../config/types.ts';
import type { PoolStatus } from '../../core/admin.ts';
import type { ShownConfig, LivePool, MemberSettings } from './messages.ts';

export function configState({ config }: Revision, errors: readonly string[]): ShownConfig {
  return { file: basename(config.path), revision: config.revision, valid: errors.length === 0 };
}

/** Adds the settings of each member in the file. `fromVariables`: the pools whose keys are not in the file. */
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
