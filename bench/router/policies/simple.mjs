// Rules without much memory, and the rule that this project began with.

export function roundRobin() {
  let turn = 0;
  const order = new Map();
  return {
    pick(candidates) {
      for (const id of candidates) if (!order.has(id)) order.set(id, order.size);
      const sorted = candidates.toSorted((a, b) => order.get(a) - order.get(b));
      return sorted[turn++ % sorted.length];
    },
    record() {},
  };
}

export function randomPick({ random }) {
  return { pick: (candidates) => candidates[Math.floor(random() * candidates.length)], record() {} };
}

/** Always the highest of successRate × 1000 − avgTime, prior { 0.5, 1000 ms }. */
export function naive() {
  const arms = new Map();
  const armOf = (id) => {
    if (!arms.has(id)) arms.set(id, { attempts: 0, successes: 0, time: 0 });
    return arms.get(id);
  };
  const scoreOf = ({ attempts, successes, time }) =>
    attempts === 0 ? 0.5 * 1000 - 1000 : (successes / attempts) * 1000 - time / attempts;
  return {
    pick: (candidates) => highest(candidates, (id) => scoreOf(armOf(id))),
    record(id, { ok, durationMs }) {
      const arm = armOf(id);
      arm.attempts++;
      arm.time += durationMs;
      if (ok) arm.successes++;
    },
  };
}

export function highest(list, scoreOf) {
  let [best, top] = [list[0], -Infinity];
  for (const item of list) {
    const score = scoreOf(item);
    if (score > top) [best, top] = [item, score];
  }
  return best;
}
