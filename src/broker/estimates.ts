import { rosterOf } from '../core/resolved-pool.ts';
import type { Context, PoolState } from '../core/state.ts';
import type { MemberInsight, PoolSpec } from '../core/types.ts';
import type { PoolRouting } from '../router/routing.ts';

/** How often a link is told what is believed, at most. */
export const INSIGHTS_EVERY_MS = 500;

/** What is believed of the members among which the router chooses. */
export function insightsOf(
  pool: PoolState,
  spec: PoolSpec,
  routing: PoolRouting,
  context: Context,
): MemberInsight[] {
  const { endpoints, keys } = rosterOf(pool, spec, context);
  const chosen = [
    ...(spec.routing === 'success-rate' ? endpoints : []),
    ...(spec.rotation === 'success-rate' ? keys : []),
  ];
  return chosen.flatMap(({ subject }) => {
    const insight = routing.insight(subject.belief, context.now);
    if (!insight) return [];
    const { successRange, avgRange, successRate, avgMs, probes, changes } = insight;
    const [successLow, successHigh] = successRange.map(toThousandths);
    const [avgLowMs, avgHighMs] = avgRange.map(Math.round);
    return {
      pool: spec.name,
      endpoint: subject.kind === 'endpoint' ? subject.name : null,
      key: subject.kind === 'key' ? subject.name : null,
      at: context.now,
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
