/** How long at least one of these was under way, in milliseconds: what ran at the same time counts once. */
export function spanOf(requests: readonly { readonly at: number; readonly elapsedMs: number }[]): number {
  let total = 0;
  let end = -Infinity;
  for (const { at, elapsedMs } of requests.toSorted((a, b) => a.at - b.at)) {
    total += Math.max(0, at + elapsedMs - Math.max(at, end));
    end = Math.max(end, at + elapsedMs);
  }
  return total;
}
