import type { HealthState, PoolSpec } from '../types.ts';
import type { MemberState, PoolState } from '../state.ts';
import type { EndedCall, MemberName } from './attempt.ts';
import { ownHealth } from '../health/states.ts';
import { isRefusal } from './recovery.ts';

/** States that refusals put a member into. */
const REFUSED: ReadonlySet<HealthState> = new Set(['cooling', 'quarantined', 'exhausted']);

/** Members that refused these calls and are out of service: their keys, or the endpoints that refuse every key. */
export function outOfServiceBy(
  pool: PoolState,
  spec: PoolSpec,
  calls: readonly EndedCall[],
  now: number,
): MemberName[] {
  const members = new Map<string, MemberName>();
  for (const { kind, pool: of, endpoint, key, model } of calls) {
    if (!isRefusal(kind) || of !== spec.name) continue;
    const keySpec = spec.keys.find(({ name }) => name === key);
    const endpointSpec = spec.endpoints.find(({ name }) => name === endpoint);
    const keyState = keySpec && pool.members.get(`key:${keySpec.id}`);
    const endpointState = endpointSpec && pool.members.get(`endpoint:${endpointSpec.id}`);
    if (keyState && isOut(keyState, model, now)) members.set(`key ${key}`, { pool: of, endpoint: null, key });
    if (endpointState && (isOut(endpointState, model, now) || endpointState.health.state === 'ejected'))
      members.set(`endpoint ${endpoint}`, { pool: of, endpoint, key: null });
  }
  return [...members.values()];
}

/** As a whole, or for the model that the call was for. */
function isOut({ health, modelLimits }: MemberState, model: string | undefined, now: number): boolean {
  if (REFUSED.has(ownHealth(health).state)) return true;
  return model !== undefined && (modelLimits.get(model)?.coolUntil ?? 0) > now;
}
