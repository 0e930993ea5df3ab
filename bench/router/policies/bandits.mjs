// Bandits. A reward is in [0, 1]: nothing for a failure, else less the longer it took. Their parameters
// (policies/index.mjs) are the best of a grid over these very families, on seeds that are not shown. What is in flight counts as pulled, else late feedback floods one arm.

import { beta, normal } from '../random.mjs';
import { highest } from './simple.mjs';

/** Sums per arm that fade by `keep` with every attempt anywhere (discounted UCB: Garivier and Moulines, 2011). */
function sums(keep) {
  const arms = new Map();
  let scale = 1;
  const armOf = (id) => {
    if (!arms.has(id)) arms.set(id, { pulls: 0, total: 0, squares: 0, ok: 0, inFlight: 0 });
    return arms.get(id);
  };
  return {
    all: arms,
    armOf,
    scale: () => scale,
    start: (id) => armOf(id).inFlight++,
    end(id, value, ok) {
      // Growing the new instead of fading the old is the same, and touches one arm only.
      scale /= keep;
      const arm = armOf(id);
      arm.inFlight--;
      arm.pulls += scale;
      arm.total += value * scale;
      arm.squares += value * value * scale;
      if (ok) arm.ok += scale;
      if (scale > 1e100) {
        for (const each of arms.values())
          for (const field of ['pulls', 'total', 'squares', 'ok']) each[field] /= scale;
        scale = 1;
      }
    },
  };
}

/** Cost of one attempt, in milliseconds, where a failure costs a fixed price. */
const costOf = ({ ok, durationMs }, price) => durationMs + (ok ? 0 : price);

/** UCB1 (Auer, Cesa-Bianchi and Fischer, 2002) where `keep` is 1, discounted UCB below that. */
export const ucb =
  ({ keep, width, priceMs, scaleMs }) =>
  () => {
    const memory = sums(keep);
    return {
      pick(candidates) {
        const scale = memory.scale();
        let all = 0;
        for (const arm of memory.all.values()) all += arm.pulls / scale + arm.inFlight;
        const explored = Math.log(Math.max(2, all));
        const chosen = highest(candidates, (id) => {
          const arm = memory.armOf(id);
          const pulls = arm.pulls / scale;
          if (pulls + arm.inFlight < 1e-9) return Infinity;
          const mean = pulls > 1e-9 ? arm.total / arm.pulls : 0.5;
          return mean + width * Math.sqrt(explored / (pulls + arm.inFlight));
        });
        memory.start(chosen);
        return chosen;
      },
      record(id, outcome) {
        const reward = Math.exp(-costOf(outcome, priceMs) / scaleMs);
        memory.end(id, reward, outcome.ok);
      },
    };
  };

/** Thompson sampling on success alone (Chapelle and Li, 2011). */
export const thompsonSuccess =
  ({ keep }) =>
  ({ random }) => {
    const memory = sums(keep);
    return {
      pick(candidates) {
        const scale = memory.scale();
        const chosen = highest(candidates, (id) => {
          const arm = memory.armOf(id);
          return beta(arm.ok / scale + 1, Math.max(0, arm.pulls - arm.ok) / scale + 1, random);
        });
        memory.start(chosen);
        return chosen;
      },
      record: (id, outcome) => memory.end(id, 0, outcome.ok),
    };
  };

/** Thompson sampling on the cost of an attempt: a normal posterior with the arm's own spread, and a wide prior. */
export const thompsonCost =
  ({ keep, priceMs, priorMs }) =>
  ({ random }) => {
    const memory = sums(keep);
    return {
      pick(candidates) {
        const scale = memory.scale();
        const chosen = highest(candidates, (id) => {
          const arm = memory.armOf(id);
          const pulls = arm.pulls / scale;
          const mean = (arm.total / scale + priorMs) / (pulls + 1);
          const square = (arm.squares / scale + 2 * priorMs ** 2) / (pulls + 1);
          const spread = Math.sqrt(Math.max(square - mean ** 2, 1) / (pulls + 1));
          return -(mean + spread * normal(random));
        });
        memory.start(chosen);
        return chosen;
      },
      record: (id, outcome) => memory.end(id, costOf(outcome, priceMs), outcome.ok),
    };
  };
