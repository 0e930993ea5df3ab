/** However long an answer takes, an arm that is up is never less likely to be that slow. */
const SLOWEST = 0.01;

/**
 * What the silence of requests in flight says: how much likelier it is at an arm that is down than at one that is up,
 * whose log ms are normal. Within the usual time silence says nothing.
 */
export function silenceRatio(
  startedAt: readonly number[],
  now: number,
  logMs: number,
  deviation: number,
  hangShare: number,
): number {
  let ratio = 1;
  for (const started of startedAt) {
    const silent = now - started;
    if (silent <= 0) continue;
    const z = (Math.log(silent) - logMs) / deviation;
    if (z < 1) continue;
    const stillUp = Math.max(SLOWEST, upperTail(z));
    ratio *= Math.max(1, (hangShare + (1 - hangShare) * stillUp) / stillUp);
  }
  return Math.min(ratio, 1e6);
}

/** The chance that a standard normal exceeds z, by the logistic approximation. */
function upperTail(z: number): number {
  return 1 / (1 + Math.exp(1.702 * z));
}
