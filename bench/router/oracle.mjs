// The clairvoyant: knows every arm's present chance and times (not the luck of a draw), and takes the attempt order
// with the lowest expected cost.

import { expected } from './arm.mjs';
import { LOST_MS, MAX_ATTEMPTS, RETRY_AFTER_MS } from './simulate.mjs';

export function oracle({ now, world }) {
  return {
    pick(candidates, { attempt }) {
      const known = candidates.map((id) => ({ id, ...expected(world.byId.get(id), now()) }));
      return cheapest(known, attempt).id;
    },
    record() {},
  };
}

/** The first of the best order of attempts. With more than `WIDTH` arms only the likeliest are looked at further on. */
function cheapest(known, attempt) {
  if (attempt >= MAX_ATTEMPTS || known.length === 1) return lowest(known, LOST_MS);
  const WIDTH = 6;
  const last = known.toSorted((a, b) => costOf(a, LOST_MS) - costOf(b, LOST_MS)).slice(0, WIDTH);
  const quick = known.toSorted((a, b) => costOf(a, 1_000) - costOf(b, 1_000)).slice(0, WIDTH);
  const narrowed = [...new Set([...last, ...quick])];
  let best = null;
  for (const one of narrowed) {
    const others = narrowed.filter((other) => other !== one);
    const cost = costOf(one, RETRY_AFTER_MS + cheapest(others, attempt + 1).cost);
    if (!best || cost < best.cost) best = { ...one, cost };
  }
  return best;
}

function lowest(known, price) {
  let best = null;
  for (const one of known) {
    const cost = costOf(one, price);
    if (!best || cost < best.cost) best = { ...one, cost };
  }
  return best;
}

function costOf({ ok, okMs, failMs }, price) {
  return ok * okMs + (1 - ok) * (failMs + price);
}
