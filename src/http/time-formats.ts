const UNITS: Readonly<Record<string, number>> = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1000, ms: 1 };
const SPAN = /^(?:\d+(?:\.\d+)?(?:ms|d|h|m|s))+$/;
const PART = /(\d+(?:\.\d+)?)(ms|d|h|m|s)/g;
const ZONE = /(?:GMT|UTC|Z|[+-]\d\d:?\d\d)$/i;

/** Milliseconds of a span such as `6m0s`, `20ms` or `1h2m3.5s`, or null. */
export function durationMs(text: string): number | null {
  if (!SPAN.test(text)) return null;
  let sum = 0;
  for (const [, amount, unit] of text.matchAll(PART)) sum += Number(amount) * UNITS[unit!]!;
  return sum;
}

/** The moment of an HTTP date or an ISO 8601 text, in milliseconds since 1970, or null. */
export function momentMs(text: string): number | null {
  const trimmed = text.trim();
  // Date.parse alone takes a lot for a date that is none, such as "-3".
  const looksLikeDate = /^[A-Z][a-z]+,? |^\d{4}-\d\d-\d\d[T ]/.test(trimmed);
  // The asctime form of HTTP has no zone and means UTC (RFC 9110, 5.6.7); Date.parse takes it for local time.
  const zoned = ZONE.test(trimmed) ? trimmed : `${trimmed}${/^\d/.test(trimmed) ? 'Z' : ' GMT'}`;
  const at = looksLikeDate ? Date.parse(zoned) : NaN;
  return Number.isNaN(at) ? null : at;
}

/** Milliseconds until the next midnight in a time zone; where the clocks change, an hour more or less. */
export function untilMidnightMs(timeZone: string, now: number): number {
  const parts = new Intl.DateTimeFormat('en-US', { timeZone, hourCycle: 'h23', timeStyle: 'medium' });
  const [hours = 0, minutes = 0, seconds = 0] = parts.format(now).split(/\D+/).map(Number);
  return 86_400_000 - (hours * 3600 + minutes * 60 + seconds) * 1000 - (now % 1000);
}

/** Milliseconds until the next month begins in UTC. */
export function untilNextMonthMs(now: number): number {
  const date = new Date(now);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 1) - now;
}
