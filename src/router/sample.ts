import type { Random } from '../core/clock.ts';

/** A draw from Beta(alpha, beta), through two Gamma draws. */
export function sampleBeta(alpha: number, beta: number, random: Random): number {
  const first = sampleGamma(alpha, random);
  const second = sampleGamma(beta, random);
  const sum = first + second;
  return sum > 0 ? first / sum : alpha / (alpha + beta);
}

/** Marsaglia and Tsang, "A simple method for generating gamma variables" (2000), with their boost below shape 1. */
function sampleGamma(shape: number, random: Random): number {
  if (shape < 1) return sampleGamma(shape + 1, random) * positive(random) ** (1 / shape);
  const d = shape - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (let round = 0; round < 64; round++) {
    const x = sampleNormal(random);
    const v = (1 + c * x) ** 3;
    if (v <= 0) continue;
    if (Math.log(positive(random)) < 0.5 * x * x + d - d * v + d * Math.log(v)) return d * v;
  }
  return d;
}

/** Box and Muller (1958). */
function sampleNormal(random: Random): number {
  return Math.sqrt(-2 * Math.log(positive(random))) * Math.cos(2 * Math.PI * random());
}

function positive(random: Random): number {
  return Math.max(random(), 1e-12);
}
