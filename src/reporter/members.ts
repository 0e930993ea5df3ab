import type { HealthState, Transition } from '../core/types.ts';
import { isoTime } from '../shared/format.ts';
import type { Collected } from './collected.ts';
import type { ReportMember, ReportPool } from './model.ts';
import { type PoolTally, roundedOrNull, type Tally } from './tally.ts';

interface Present {
  readonly state: HealthState;
  readonly why: string;
  readonly until: number | null;
}

type Subject = { readonly pool: string; readonly endpoint: string | null; readonly key: string | null };

/** All pools with their members, used or not, in the state in which the run left them. */
export function poolsOf(
  collected: Collected,
  transitions: readonly Transition[],
  endedAt: number,
): ReportPool[] {
  const states = statesOf(collected, transitions);
  const member = (pool: PoolTally, kind: 'endpoint' | 'key', name: string, tally: Tally): ReportMember => {
    return toMember(name, tally, present(states.get(`${pool.name}\n${kind}\n${name}`), endedAt));
  };
  return [...collected.pools.values()].map((pool) => ({
    name: pool.name,
    endpoints: [...pool.endpoints].map(([name, tally]) => {
      const { name: same, ...rest } = member(pool, 'endpoint', name, tally);
      return { name: same, url: tally.url, ...rest };
    }),
    keys: [...pool.keys].map(([name, tally]) => {
      const { name: same, ...rest } = member(pool, 'key', name, tally);
      return { name: same, fingerprint: tally.fingerprint, ...rest };
    }),
  }));
}

function statesOf(collected: Collected, transitions: readonly Transition[]): Map<string, Present> {
  const states = new Map<string, Present>();
  for (const { standings } of collected.standings.values()) {
    for (const standing of standings) states.set(nameOf(standing), standing);
  }
  for (const { to, why, until, ...subject } of transitions) {
    states.set(nameOf(subject), { state: to, why, until });
  }
  return states;
}

/** What concerns a key at one endpoint is the key's. */
function nameOf({ pool, endpoint, key }: Subject): string {
  return key === null ? `${pool}\nendpoint\n${endpoint}` : `${pool}\nkey\n${key}`;
}

/** Time alone ends a cooldown; an ejection or an exhausted quota waits for its trial. */
function present(last: Present | undefined, endedAt: number): Present | null {
  if (!last || last.state === 'healthy') return null;
  const over = last.until !== null && last.until <= endedAt;
  if (over && last.state === 'cooling') return null;
  return over ? { ...last, until: null } : last;
}

function toMember(name: string, tally: Tally, now: Present | null): ReportMember {
  return {
    name,
    state: now?.state ?? 'healthy',
    until: now === null || now.until === null ? null : isoTime(now.until),
    why: now?.why ?? null,
    leases: tally.leases,
    attempts: tally.attempts,
    successes: tally.successes,
    failures: tally.failures,
    successRate: tally.successRate(),
    avgMs: roundedOrNull(tally.durations.mean()),
    p95Ms: roundedOrNull(tally.durations.percentile(0.95)),
    kinds: tally.kinds,
  };
}
