// Regret over families and seeds: geometric means, and bootstrap intervals over the seeds.

import { stream } from './random.mjs';

const ROUNDS = 1_000;

/** `ratios[family][seed]` of a policy's cost to the oracle's. */
export function regretOf(ratios) {
  const families = Object.values(ratios).map((seeds) =>
    seeds.map((ratio) => Math.log(Math.max(ratio, 1e-9))),
  );
  const random = stream(1);
  const draws = [];
  for (let round = 0; round < ROUNDS; round++) {
    draws.push(
      mean(families.map((seeds) => mean(seeds.map(() => seeds[Math.floor(random() * seeds.length)])))),
    );
  }
  draws.sort((a, b) => a - b);
  const at = (share) => Math.expm1(draws[Math.floor(share * (ROUNDS - 1))]);
  return { regret: Math.expm1(mean(families.map(mean))), low: at(0.025), high: at(0.975) };
}

export function mean(list) {
  return list.reduce((sum, one) => sum + one, 0) / list.length;
}
