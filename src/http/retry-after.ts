import { durationMs, momentMs } from './time-formats.ts';

type Headers = Readonly<Record<string, string>>;

/** What says when a call may be tried again, in milliseconds. */
const IN_MILLISECONDS = ['retry-after-ms', 'x-ms-retry-after-ms'];

/** Counters of a rate limit: what is left, and when it is full again. The vendors' own come first. */
const COUNTERS: readonly (readonly [remaining: string, reset: string])[] = [
  ...['requests', 'tokens', 'input-tokens', 'output-tokens'].map(
    (what) => [`anthropic-ratelimit-${what}-remaining`, `anthropic-ratelimit-${what}-reset`] as const,
  ),
  ...['requests', 'tokens'].map(
    (what) => [`x-ratelimit-remaining-${what}`, `x-ratelimit-reset-${what}`] as const,
  ),
  ['x-ratelimit-remaining', 'x-ratelimit-reset'],
  ['x-ratelimit-remaining', 'x-ratelimit-reset-after'],
  ['x-rate-limit-remaining', 'x-rate-limit-reset'],
  ['ratelimit-remaining', 'ratelimit-reset'],
];

const WEEKDAY = /^(?:mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?$/i;

/** A longer wait is no wait: the value means something else, or is a mistake. */
const MAX_WAIT_MS = 31 * 86_400_000;

/**
 * How long `Retry-After` and its variants ask to wait, in milliseconds, or null where they do not, or say nonsense (zero,
 * a negative time, one that is past, one more than 31 days away). `Retry-After` is seconds or an HTTP date (RFC 9110,
 * 10.2.3), counted from the answer's own `Date`, so that a clock that is wrong does no harm; of several the latest
 * counts. `headers` has lower-case names.
 */
export function explicitWaitMs(headers: Headers, now: number): number | null {
  for (const name of IN_MILLISECONDS) {
    const value = sane(number(headers[name]));
    // The finer of two ways to say the same.
    if (value !== null) return value;
  }
  const values = valuesOf(headers['retry-after'] ?? '');
  return latest(values.map((value) => retryAfterMs(value, headers, now)));
}

/** Header fields of one name arrive joined by commas; an HTTP date has a comma of its own after its weekday. */
function valuesOf(joined: string): string[] {
  const values: string[] = [];
  let weekday = '';
  for (const part of joined.split(',')) {
    const text = part.trim();
    if (WEEKDAY.test(text)) {
      weekday = `${text}, `;
      continue;
    }
    values.push(weekday + text);
    weekday = '';
  }
  return values;
}

function retryAfterMs(value: string, headers: Headers, now: number): number | null {
  const seconds = number(value);
  if (seconds !== null) return sane(seconds * 1000);
  const until = momentMs(value);
  return until === null ? null : sane(until - serverTime(headers, now));
}

/** How long until the last of the counters at zero is full again, in milliseconds, or null. */
export function resetMs(headers: Headers, now: number): number | null {
  const waits = COUNTERS.map(([remaining, reset]) => {
    const left = number(headers[remaining]);
    return left === null || left === 0 ? untilReset(headers[reset], headers, now) : null;
  });
  return latest([...waits, structuredReset(headers['ratelimit'])]);
}

/** The later of two deadlines wins: waiting too short costs another refusal. */
export function latest(waits: readonly (number | null)[]): number | null {
  const told = waits.filter((wait) => wait !== null);
  return told.length === 0 ? null : Math.max(...told);
}

/** A wait that can be meant. Zero is what servers make of a part of a second by rounding down: it says nothing. */
export function sane(ms: number | null): number | null {
  return ms !== null && ms > 0 && ms <= MAX_WAIT_MS ? ms : null;
}

/** A counter's reset: seconds, seconds since 1970, `6m0s`, or a date. */
function untilReset(text: string | undefined, headers: Headers, now: number): number | null {
  if (text === undefined) return null;
  const value = number(text);
  // No counter runs for thirty years, so a number this big is a moment.
  if (value !== null && value >= 1e12) return sane(value - serverTime(headers, now));
  if (value !== null && value >= 1e9) return sane(value * 1000 - serverTime(headers, now));
  if (value !== null) return sane(value * 1000);
  const span = durationMs(text);
  if (span !== null) return sane(span);
  const until = momentMs(text);
  return until === null ? null : sane(until - serverTime(headers, now));
}

/** `RateLimit: "default";r=0;t=30` of the IETF draft. */
function structuredReset(text: string | undefined): number | null {
  const waits = (text ?? '').split(',').map((policy) => {
    const [left, seconds] = ['r', 't'].map((name) => new RegExp(`;\\s*${name}=(\\d+)`).exec(policy)?.[1]);
    return left === '0' && seconds !== undefined ? sane(Number(seconds) * 1000) : null;
  });
  return latest(waits);
}

function serverTime(headers: Headers, now: number): number {
  const date = headers['date'];
  return (date === undefined ? null : momentMs(date)) ?? now;
}

function number(text: string | undefined): number | null {
  if (text === undefined || !/^\s*\d+(\.\d+)?\s*$/.test(text)) return null;
  return Number(text);
}
