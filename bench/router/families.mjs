// The families of scenarios. Each makes another world per seed; arms are shuffled, so that no place is better.

import { dice, seedOf, stream } from './random.mjs';

/** Builds the scenario of a family for a seed. */
export function scenarioOf(family, seed, scale = 1) {
  const d = { ...dice(stream(seedOf('scenario', family, seed))), scale };
  const made = FAMILIES[family](d);
  return { pauseMs: 20, ...made, arms: d.shuffled(made.arms) };
}

/** An ordinary arm. */
function arm(d, more = {}) {
  return { ok: d.between(0.93, 0.998), ms: d.scale * d.log(120, 900), sigma: d.between(0.15, 0.5), ...more };
}

function arms(d, low, high, make = arm) {
  return Array.from({ length: d.whole(low, high) }, (_, index) => make(d, undefined, index));
}

/** About how long the suite takes, in milliseconds: changes are placed relative to that. */
function lengthOf({ requests, workers, arms: list, pauseMs = 20 }) {
  const times = list.filter((one) => !one.revoked).map((one) => one.ms);
  const usual = times.toSorted((a, b) => a - b)[Math.floor(times.length / 3)];
  return (requests * (usual + pauseMs)) / workers;
}

/** The arms in order of what they cost on their own, best first. */
function ranked(list) {
  return list.toSorted((a, b) => a.ms + (1 - a.ok) * 1_500 - (b.ms + (1 - b.ok) * 1_500));
}

function suite(d, low, high) {
  return { requests: Math.round(d.log(low, high)), workers: d.of([2, 4, 4, 8]) };
}

const HOW = ['refuse', 'error', 'error', 'hang'];

/** A world of ordinary arms, and its length. */
function world(d, [low, high], [fewest, most], make) {
  const made = { ...suite(d, low, high), arms: arms(d, fewest, most, make) };
  return { made, length: lengthOf(made), best: ranked(made.arms) };
}

export const FAMILIES = {
  stationary: (d) => world(d, [300, 1_500], [3, 8]).made,
  'equal arms': (d) => {
    const [ok, ms] = [d.between(0.95, 0.995), d.scale * d.log(150, 600)];
    return { ...suite(d, 300, 1_000), arms: arms(d, 3, 8, () => ({ ok, ms, sigma: 0.3 })) };
  },
  'one good of many bad': (d) => {
    const made = {
      ...suite(d, 300, 1_200),
      arms: arms(d, 5, 10, () => arm(d, { ok: d.between(0.3, 0.75) })),
    };
    made.arms.push(arm(d, { ok: d.between(0.97, 0.999) }));
    return made;
  },
  'fast but flaky': (d) => ({
    ...suite(d, 300, 1_500),
    arms: arms(d, 3, 7, (_, __, index) =>
      index % 2 === 0
        ? arm(d, { ok: d.between(0.6, 0.9), ms: d.scale * d.log(50, 150), failMs: d.between(0.05, 1) })
        : arm(d, { ok: d.between(0.98, 0.999), ms: d.scale * d.log(200, 900) }),
    ),
  }),
  'fast failures': (d) => ({
    ...suite(d, 300, 1_200),
    arms: arms(d, 4, 8, (_, __, index) =>
      index === 0 ? arm(d, { ok: d.between(0, 0.2), failMs: 0.02 }) : arm(d),
    ),
  }),
  'heavy tails': (d) =>
    world(d, [400, 1_500], [3, 8], () =>
      arm(d, {
        sigma: d.between(0.4, 0.9),
        tail: { share: d.between(0.01, 0.08), factor: d.between(5, 15) },
      }),
    ).made,
  'sudden failures': (d) => {
    const { made, length, best } = world(d, [500, 2_000], [3, 8]);
    for (const one of best.slice(0, d.whole(1, 2))) {
      const [from, low, before] = [length * d.between(0.2, 0.6), d.between(0.1, 0.6), one.ok];
      one.change = (at) => ({ ok: at < from ? before : low });
    }
    return made;
  },
  'sudden slowness': (d) => {
    const { made, length, best } = world(d, [500, 2_000], [3, 8]);
    for (const one of best.slice(0, d.whole(1, 2))) {
      const [from, factor] = [length * d.between(0.2, 0.6), d.between(3, 12)];
      const to = d.chance(0.5) ? Infinity : from + length * d.between(0.1, 0.3);
      one.change = (at) => ({ ms: at < from || at >= to ? 1 : factor });
    }
    return made;
  },
  'slow decline': (d) => {
    const { made, length, best } = world(d, [600, 2_500], [3, 8]);
    for (const one of best.slice(0, 2)) {
      const [from, span, drop, slow, before] = [
        length * d.between(0, 0.3),
        length * d.between(0.3, 0.7),
        d.between(0, 0.6),
        d.between(0, 6),
        one.ok,
      ];
      one.change = (at) => {
        const part = Math.min(1, Math.max(0, (at - from) / span));
        return { ok: before * (1 - drop * part), ms: 1 + slow * part };
      };
    }
    return made;
  },
  'outage, recovers': (d) => {
    const { made, length, best } = world(d, [500, 2_000], [3, 8]);
    for (const one of best.slice(0, d.whole(1, 2))) {
      const from = length * d.between(0.1, 0.6);
      one.outages = [{ from, to: from + length * d.between(0.05, 0.25), how: d.of(HOW) }];
    }
    return made;
  },
  'outage, for good': (d) => {
    const { made, length, best } = world(d, [500, 2_000], [3, 8]);
    for (const one of best.slice(0, d.whole(1, 2)))
      one.outages = [{ from: length * d.between(0.05, 0.6), to: Infinity, how: d.of(HOW) }];
    return made;
  },
  flapping: (d) => {
    const { made, length, best } = world(d, [500, 2_500], [3, 8]);
    for (const one of best.slice(0, d.whole(1, 3))) {
      one.outages = [];
      const [up, down, how] = [length * d.between(0.03, 0.12), length * d.between(0.01, 0.06), d.of(HOW)];
      for (let at = d.exponential(up); at < length * 2;) {
        const to = at + d.exponential(down);
        one.outages.push({ from: at, to, how });
        at = to + d.exponential(up);
      }
    }
    return made;
  },
  'correlated outages': (d) => {
    const { made, length } = world(d, [500, 2_000], [4, 10]);
    for (let times = d.whole(1, 3); times > 0; times--) {
      const from = length * d.between(0.05, 0.85);
      const outage = { from, to: from + length * d.between(0.03, 0.15), how: d.of(HOW) };
      const share = d.between(0.4, 0.85);
      for (const one of made.arms) if (d.chance(share)) (one.outages ??= []).push(outage);
    }
    return made;
  },
  'nothing works for a while': (d) => {
    const { made, length } = world(d, [400, 1_500], [3, 8]);
    const from = length * d.between(0.1, 0.7);
    const how = d.of(['refuse', 'error']);
    for (const one of made.arms) one.outages = [{ from, to: from + length * d.between(0.02, 0.06), how }];
    return made;
  },
  'late bloomer': (d) => {
    const { made, length, best } = world(d, [600, 2_500], [3, 8]);
    const [from, low, before, one] = [
      length * d.between(0.1, 0.5),
      d.between(0, 0.5),
      d.between(0.97, 1),
      best.at(-1),
    ];
    one.ms = best[0].ms * d.between(0.2, 0.6);
    if (d.chance(0.5)) one.change = (at) => ({ ok: at < from ? low : before });
    else one.change = (at) => ({ ok: before, ms: at < from ? 15 : 1 });
    return made;
  },
  'late bloomer, was down': (d) => {
    const { made, length, best } = world(d, [600, 2_500], [3, 8]);
    const one = best.at(-1);
    Object.assign(one, { ms: best[0].ms * d.between(0.3, 0.7), ok: d.between(0.97, 0.999) });
    one.outages = [{ from: 0, to: length * d.between(0.1, 0.4), how: d.of(HOW) }];
    return made;
  },
  'token buckets, Retry-After': (d) => limited(d, true),
  'token buckets, no header': (d) => limited(d, false),
  'fixed windows': (d) => {
    const { made, length } = world(d, [400, 1_500], [3, 8]);
    const perMs = (made.requests / length) * d.between(1.05, 2.2);
    const header = d.chance(0.5);
    for (const one of made.arms) {
      const windowMs = d.of([1_000, 5_000, 10_000]);
      const limit = Math.max(1, Math.round(((perMs * windowMs) / made.arms.length) * d.between(0.5, 1.5)));
      one.window = { limit, windowMs, header };
    }
    return made;
  },
  'mixed key pool': (d) => {
    const { made, length } = world(d, [300, 1_500], [6, 12], () =>
      arm(d, { ms: d.scale * d.log(150, 500), ok: d.between(0.96, 0.998) }),
    );
    const perSecond = (made.requests / length) * 1_000;
    for (const [index, one] of d.shuffled(made.arms).entries()) {
      const part = index / made.arms.length;
      if (part < 0.3) one.revoked = true;
      else if (part < 0.65)
        one.bucket = {
          perSecond: (perSecond / made.arms.length) * d.between(0.5, 2),
          burst: d.whole(1, 10),
          header: d.chance(0.5),
        };
      else if (part < 0.75) one.ok = d.between(0.3, 0.7);
    }
    return made;
  },
  'revoked keys': (d) => {
    const { made, length } = world(d, [200, 1_000], [5, 12], () => arm(d, { ms: d.scale * d.log(150, 500) }));
    for (const one of d.shuffled(made.arms).slice(0, Math.ceil(made.arms.length * d.between(0.2, 0.6)))) {
      if (d.chance(0.6)) one.revoked = true;
      else one.revokedAt = length * d.between(0, 0.7);
    }
    return made;
  },
  'hanging requests': (d) => {
    const { made, length, best } = world(d, [400, 2_000], [3, 8]);
    made.workers = 8;
    const timeoutMs = d.of([5_000, 10_000, 20_000]);
    for (const one of made.arms) one.timeoutMs = timeoutMs;
    for (const one of best.slice(0, d.whole(1, 2))) {
      const from = length * d.between(0.05, 0.25);
      one.outages = [{ from, to: from + Math.max(length * d.between(0.1, 0.5), timeoutMs), how: 'hang' }];
    }
    return made;
  },
  'load-sensitive': (d) => {
    const made = {
      ...suite(d, 400, 2_000),
      arms: arms(d, 3, 8, () => arm(d, { load: d.between(0.2, 1.2), ms: d.scale * d.log(150, 500) })),
    };
    return { ...made, workers: 8 };
  },
  'load beyond capacity': (d) => ({
    ...suite(d, 400, 2_000),
    workers: d.of([8, 12, 16]),
    arms: arms(d, 3, 8, () =>
      arm(d, { load: d.between(0.3, 1), capacity: d.whole(1, 4), ms: d.scale * d.log(120, 700) }),
    ),
  }),
  'cold start, 20 to 50 arms': (d) => ({
    requests: 100,
    workers: d.of([2, 4, 8]),
    arms: arms(d, 20, 50, () => arm(d, { ok: d.chance(0.3) ? d.between(0.2, 0.8) : d.between(0.93, 0.998) })),
  }),
  'many arms, longer': (d) =>
    world(d, [800, 3_000], [20, 50], () =>
      arm(d, { ok: d.chance(0.3) ? d.between(0.2, 0.8) : d.between(0.93, 0.998) }),
    ).made,
  'short suite, 50': (d) => ({
    requests: 50,
    workers: d.of([1, 2, 4]),
    arms: arms(d, 3, 8, (_, __, index) => arm(d, index % 3 === 0 ? { ok: d.between(0, 0.8) } : {})),
  }),
  'short suite, 200': (d) => ({
    requests: 200,
    workers: d.of([2, 4, 8]),
    arms: arms(d, 3, 10, (_, __, index) => arm(d, index % 3 === 0 ? { ok: d.between(0, 0.8) } : {})),
  }),
  'long run, drifting': (d) => {
    const { made, length } = world(d, [5_000, 20_000], [4, 8]);
    for (const one of made.arms) {
      const [period, phase, swing, before] = [
        length * d.between(0.2, 1),
        d.between(0, 2 * Math.PI),
        d.between(0, 0.9),
        one.ok,
      ];
      const dip = d.between(0, 0.15);
      one.change = (at) => {
        const wave = Math.sin((2 * Math.PI * at) / period + phase);
        return { ms: Math.exp(swing * wave), ok: before - dip * Math.max(0, wave) };
      };
      if (d.chance(0.4)) {
        const from = length * d.between(0, 0.9);
        one.outages = [{ from, to: from + length * d.between(0.01, 0.1), how: d.of(HOW) }];
      }
    }
    return made;
  },
};

function limited(d, header) {
  const { made, length } = world(d, [400, 1_500], [3, 10], () => arm(d, { ms: d.scale * d.log(150, 500) }));
  const perSecond = (made.requests / length) * 1_000 * d.between(1.1, 2.5);
  for (const one of made.arms)
    one.bucket = {
      perSecond: (perSecond / made.arms.length) * d.between(0.5, 1.5),
      burst: d.whole(1, 12),
      header,
    };
  return made;
}
