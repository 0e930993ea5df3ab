// Seeded chance for the bench: streams that do not disturb each other, and draws from the usual distributions.

/** A stream of numbers in [0, 1): sfc32 (PractRand, Chris Doty-Humphrey), seeded through splitmix32. */
export function stream(seed) {
  let mix = seed >>> 0;
  const split = () => {
    mix = (mix + 0x9e3779b9) >>> 0;
    let z = mix;
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    return (z ^ (z >>> 15)) >>> 0;
  };
  let [a, b, c, counter] = [split(), split(), split(), 1];
  const next = () => {
    const sum = (a + b + counter++) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + sum;
    return (sum >>> 0) / 4294967296;
  };
  for (let round = 0; round < 12; round++) next();
  return next;
}

/** A seed out of several numbers and texts. */
export function seedOf(...parts) {
  let hash = 0x811c9dc5;
  for (const part of parts) {
    for (const character of `${part}|`) hash = Math.imul(hash ^ character.charCodeAt(0), 0x01000193);
  }
  return hash >>> 0;
}

export function normal(random) {
  return Math.sqrt(-2 * Math.log(Math.max(random(), 1e-12))) * Math.cos(2 * Math.PI * random());
}

export function gamma(shape, random) {
  if (shape < 1) return gamma(shape + 1, random) * Math.max(random(), 1e-12) ** (1 / shape);
  const d = shape - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const x = normal(random);
    const v = (1 + c * x) ** 3;
    if (v > 0 && Math.log(Math.max(random(), 1e-12)) < 0.5 * x * x + d - d * v + d * Math.log(v))
      return d * v;
  }
}

export function beta(a, b, random) {
  const first = gamma(a, random);
  const second = gamma(b, random);
  return first / (first + second || 1);
}

/** Draws that scenarios are made of. */
export function dice(random) {
  const between = (low, high) => low + (high - low) * random();
  const dice = {
    random,
    between,
    log: (low, high) => Math.exp(between(Math.log(low), Math.log(high))),
    whole: (low, high) => Math.floor(between(low, high + 1)),
    chance: (share) => random() < share,
    of: (list) => list[Math.floor(random() * list.length)],
    exponential: (mean) => -mean * Math.log(1 - random()),
    shuffled: (list) => {
      const copy = [...list];
      for (let last = copy.length - 1; last > 0; last--) {
        const other = Math.floor(random() * (last + 1));
        [copy[last], copy[other]] = [copy[other], copy[last]];
      }
      return copy;
    },
  };
  return dice;
}
