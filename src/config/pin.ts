import { quoted } from './schema/fields.ts';
import type { Finding } from './problems.ts';
import type { EndpointConfig, GembaConfig, LoadedConfig, PoolConfig } from './types.ts';

type PoolsByName = GembaConfig['pools'];
type ReportPinProblem = (message: string, pool?: string) => void;

/** The pools with only those members that `GEMBA_PIN` names; pools that it does not name stay whole. */
export function pinMembers(
  pools: PoolsByName,
  skipped: Readonly<Record<string, string>>,
  pin: string,
): {
  readonly pools: PoolsByName;
  /** The endpoints that are not among them any more, by pool. */
  readonly leftOut: LoadedConfig['leftOut'];
  readonly findings: readonly Finding[];
} {
  const findings: Finding[] = [];
  const report: ReportPinProblem = (message, pool) => {
    findings.push({ path: pool === undefined ? ['pools'] : ['pools', pool], message, about: 'GEMBA_PIN' });
  };
  const pinned: Record<string, PoolConfig> = Object.assign(Object.create(null), pools);
  const leftOut: Record<string, EndpointConfig[]> = Object.create(null);
  for (const [name, members] of byPool(pin, report)) {
    const pool = pools[name];
    if (pool !== undefined) {
      const { endpoints } = (pinned[name] = pinPool(pool, name, members, report));
      if (endpoints.length < pool.endpoints.length)
        leftOut[name] = pool.endpoints.filter((endpoint) => !endpoints.includes(endpoint));
    } else if (skipped[name] !== undefined) report(`the pool "${name}" is left out: ${skipped[name]}`, name);
    else report(`there is no pool "${name}"; known: ${quoted(Object.keys(pools))}`);
  }
  return { pools: pinned, leftOut, findings };
}

function byPool(pin: string, report: ReportPinProblem): Map<string, string[]> {
  const pools = new Map<string, string[]>();
  for (const entry of pin.split(',').flatMap((part) => part.trim() || [])) {
    const [pool = '', member = '', ...rest] = entry.split('/');
    if (pool === '' || member === '' || rest.length > 0)
      report(`"${entry}" must be POOL/NAME, such as "api/us"`);
    else pools.set(pool, [...(pools.get(pool) ?? []), member]);
  }
  return pools;
}

function pinPool(
  pool: PoolConfig,
  name: string,
  members: readonly string[],
  report: ReportPinProblem,
): PoolConfig {
  const known = [...pool.endpoints, ...pool.keys].map((member) => member.name);
  for (const member of members.filter((each) => !known.includes(each))) {
    report(`the pool "${name}" has no "${member}"; known: ${quoted(known)}`, name);
  }
  const endpoints = named(pool.endpoints, members);
  const places = endpoints.map((endpoint) => endpoint.name);
  const keys = named(pool.keys, members).flatMap((key) => {
    const left = key.endpoints?.filter((endpoint) => places.includes(endpoint));
    return left?.length === 0 ? [] : { ...key, endpoints: left };
  });
  if (keys.length === 0 && pool.keys.length > 0) {
    report(`no key of the pool "${name}" that is left works at ${quoted(places)}`, name);
  }
  return { ...pool, endpoints, keys };
}

/** Those that are named, or all where none is. */
function named<T extends { readonly name: string }>(
  all: readonly T[],
  members: readonly string[],
): readonly T[] {
  const chosen = all.filter(({ name }) => members.includes(name));
  return chosen.length > 0 ? chosen : all;
}
