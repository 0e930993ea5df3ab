import { resolvePool } from '../core/resolved-pool.ts';
import type { Context, PoolState } from '../core/state.ts';
import type { RouterEstimate, PoolSpec } from '../core/types.ts';
import type { PoolRouting } from '../router/routing.ts';

/** How often a link is told what is believed, at most. */
export const ESTIMATES_EVERY_MS = 500;

/** What is believed of the members among which the router chooses. */
export function routerEstimatesOf(
  pool: PoolState,
  spec: PoolSpec,
  routing: PoolRouting,
  context: Context,
): RouterEstimate[] {
  const { endpoints, keys } = resolvePool(pool, spec, context);
  const chosen = [
    ...(spec.routing === 'success-rate' ? endpoints : []),
    ...(spec.rotation === 'success-rate' ? keys : []),
  ];
  return chosen.flatMap(({ member }) => {
    const estimateOf = routing.estimateOf(member.routerHandle, context.now);
    if (!estimateOf) return [];
    const { successRange, avgRange, successRate, avgMs, probes, changes } = estimateOf;
    const [successLow, successHigh] = successRange.map(toThousandths);
    const [avgLowMs, avgHighMs] = avgRange.map(Math.round);
    return {
      pool: spec.name,
      endpoint: member.kind === 'endpoint' ? member.name : null,
      key: member.kind === 'key' ? member.name : null,
      at: context.dateOf(context.now),
      successRate: toThousandths(successRate),
      successLow: successLow!,
      successHigh: successHigh!,
      avgMs: Math.round(avgMs),
      avgLowMs: avgLowMs!,
      avgHighMs: avgHighMs!,
      probes,
      changes,
    };
  });
}

function toThousandths(rate: number): number {
  return Math.round(rate * 1_000) / 1_000;
}
