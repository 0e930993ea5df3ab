// One member of the simulated world: what an attempt there comes to, and what a clairvoyant would expect of it.

import { stream, normal } from './random.mjs';

/**
 * @typedef {object} ArmSpec
 * @property {number} ok chance that an attempt succeeds while the arm is up
 * @property {number} ms median time of an attempt
 * @property {number} [sigma] spread of the time's logarithm
 * @property {{ from: number, to: number, how: 'refuse' | 'error' | 'hang' }[]} [outages]
 * @property {(at: number) => { ok?: number, ms?: number }} [change] factors (ms) and values (ok) that change with time
 * @property {{ perSecond: number, burst: number, header: boolean }} [bucket] rate limit: a token bucket
 * @property {{ limit: number, windowMs: number, header: boolean }} [window] rate limit: a fixed window
 * @property {number} [load] relative growth of the time per further request in flight
 * @property {number} [capacity] requests in flight from which on that growth starts
 * @property {boolean} [revoked] every attempt is refused with a 401
 * @property {number} [revokedAt] from then on
 * @property {number} [failMs] time of an ordinary failure as a factor of the usual time
 * @property {{ share: number, factor: number }} [tail] a share of attempts takes so much longer
 * @property {number} [timeoutMs] an attempt ends after this at the latest
 */

const QUICK_MS = 15;

export function newArm(spec, id, seed) {
  return {
    id,
    spec: { sigma: 0.3, load: 0, capacity: 0, failMs: 1, timeoutMs: 10_000, outages: [], ...spec },
    random: stream(seed),
    inFlight: 0,
    tokens: spec.bucket?.burst ?? 0,
    filledAt: 0,
    windowFrom: 0,
    taken: 0,
  };
}

/** What an attempt that starts now comes to. The k-th attempt at an arm has the same luck under every policy. */
export function attempt(arm, at) {
  const { spec, random } = arm;
  const [first, second, third] = [normal(random), random(), random()];
  const quick = QUICK_MS * (0.5 + third);
  if (isRevoked(spec, at)) return { ok: false, durationMs: quick, kind: 'auth' };
  const outage = outageAt(spec, at);
  if (outage) {
    if (outage.how === 'hang')
      return {
        ok: false,
        durationMs: Math.min(spec.timeoutMs, Math.max(1, outage.to - at) + spec.ms),
        kind: 'timeout',
      };
    if (outage.how === 'refuse') return { ok: false, durationMs: quick, kind: 'network' };
    return {
      ok: false,
      durationMs: Math.min(spec.timeoutMs, spec.ms * Math.exp(spec.sigma * first)),
      kind: 'server',
    };
  }
  const wait = takeToken(arm, at);
  if (wait > 0) {
    const header = (spec.bucket ?? spec.window).header;
    return {
      ok: false,
      durationMs: quick,
      kind: 'rate-limit',
      ...(header && { retryAfterMs: Math.ceil(wait) }),
    };
  }
  const { ok, ms } = present(arm, at);
  const slow = spec.tail && third < spec.tail.share ? spec.tail.factor : 1;
  const durationMs = ms * slow * Math.exp(spec.sigma * first);
  if (durationMs >= spec.timeoutMs) return { ok: false, durationMs: spec.timeoutMs, kind: 'timeout' };
  if (second < ok) return { ok: true, durationMs, kind: 'ok' };
  return { ok: false, durationMs: durationMs * spec.failMs, kind: 'server' };
}

/** What a clairvoyant knows: chance of success and mean times of an attempt that would start now. */
export function expected(arm, at) {
  const { spec } = arm;
  if (isRevoked(spec, at)) return { ok: 0, okMs: QUICK_MS, failMs: QUICK_MS };
  const outage = outageAt(spec, at);
  if (outage) {
    const hang = Math.min(spec.timeoutMs, outage.to - at + spec.ms);
    return {
      ok: 0,
      okMs: 0,
      failMs: outage.how === 'hang' ? hang : outage.how === 'refuse' ? QUICK_MS : spec.ms,
    };
  }
  if (untilToken(arm, at) > 0) return { ok: 0, okMs: 0, failMs: QUICK_MS };
  const { ok, ms } = present(arm, at);
  const tail = spec.tail ? 1 + spec.tail.share * (spec.tail.factor - 1) : 1;
  const mean = Math.min(spec.timeoutMs, ms * tail * Math.exp((spec.sigma * spec.sigma) / 2));
  return { ok, okMs: mean, failMs: mean * spec.failMs };
}

function present(arm, at) {
  const { spec, inFlight } = arm;
  const { ok = spec.ok, ms = 1 } = spec.change?.(at) ?? {};
  const load = 1 + spec.load * Math.max(0, inFlight - spec.capacity);
  return { ok, ms: spec.ms * ms * load };
}

function isRevoked(spec, at) {
  return spec.revoked === true || at >= (spec.revokedAt ?? Infinity);
}

function outageAt({ outages }, at) {
  return outages.find((outage) => at >= outage.from && at < outage.to);
}

/** How long until the arm serves again; 0 where it does now. */
function untilToken(arm, at) {
  const { bucket, window } = arm.spec;
  if (bucket) {
    const tokens = Math.min(bucket.burst, arm.tokens + ((at - arm.filledAt) * bucket.perSecond) / 1000);
    return tokens >= 1 ? 0 : ((1 - tokens) * 1000) / bucket.perSecond;
  }
  if (!window) return 0;
  const from = Math.floor(at / window.windowMs) * window.windowMs;
  return from > arm.windowFrom || arm.taken < window.limit ? 0 : from + window.windowMs - at;
}

function takeToken(arm, at) {
  const { bucket, window } = arm.spec;
  const wait = untilToken(arm, at);
  if (bucket) {
    arm.tokens = Math.min(bucket.burst, arm.tokens + ((at - arm.filledAt) * bucket.perSecond) / 1000);
    arm.filledAt = at;
    if (wait === 0) arm.tokens -= 1;
  } else if (window) {
    const from = Math.floor(at / window.windowMs) * window.windowMs;
    if (from > arm.windowFrom) Object.assign(arm, { windowFrom: from, taken: 0 });
    if (wait === 0) arm.taken++;
  }
  return wait;
}
