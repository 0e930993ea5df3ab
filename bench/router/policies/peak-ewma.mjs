// PeakEWMA with two random choices, as in Finagle and linkerd2-proxy: the mean of the round trip, which rises at once
// and falls slowly, times the requests in flight. Failures count as the round trips that they are.

const DECAY_MS = 10_000;
const DEFAULT_RTT_MS = 30;
/** Finagle's penalty of a node that is busy and was not measured yet. */
const PENALTY = 1e6;

export function peakEwma({ now, random }) {
  const nodes = new Map();
  const nodeOf = (id) => {
    if (!nodes.has(id)) nodes.set(id, { cost: DEFAULT_RTT_MS, at: now(), pending: 0, measured: false });
    return nodes.get(id);
  };
  const observe = (node, rtt) => {
    const weight = Math.exp(-Math.max(0, now() - node.at) / DECAY_MS);
    node.cost = rtt > node.cost ? rtt : node.cost * weight + rtt * (1 - weight);
    node.at = now();
  };
  const loadOf = (id) => {
    const node = nodeOf(id);
    if (!node.measured && node.pending > 0) return PENALTY + node.pending;
    const weight = Math.exp(-Math.max(0, now() - node.at) / DECAY_MS);
    return node.cost * weight * (node.pending + 1);
  };
  return {
    pick(candidates) {
      const first = candidates[Math.floor(random() * candidates.length)];
      const others = candidates.filter((id) => id !== first);
      const second = others.length > 0 ? others[Math.floor(random() * others.length)] : first;
      const chosen = loadOf(first) <= loadOf(second) ? first : second;
      nodeOf(chosen).pending++;
      return chosen;
    },
    record(id, { durationMs }) {
      const node = nodeOf(id);
      node.pending--;
      node.measured = true;
      observe(node, durationMs);
    },
  };
}
