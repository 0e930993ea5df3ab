/** Headers that say how long to wait, in milliseconds. */
const IN_MILLISECONDS = ['retry-after-ms', 'x-ms-retry-after-ms'];

/**
 * How long the server asks to wait, in milliseconds, or null. `Retry-After` is seconds or an HTTP date (RFC 9110,
 * 10.2.3). `headers` has lower-case names.
 */
export function retryAfterMs(headers: Readonly<Record<string, string>>, now: number): number | null {
  for (const name of IN_MILLISECONDS) {
    const value = number(headers[name]);
    if (value !== null) return value;
  }
  const retryAfter = headers['retry-after'];
  if (retryAfter === undefined) return null;
  const seconds = number(retryAfter);
  if (seconds !== null) return seconds * 1000;
  // Date.parse alone takes a lot for a date that is none, such as "-3".
  const date = /^[A-Z][a-z]+, /.test(retryAfter) ? Date.parse(retryAfter) : NaN;
  return Number.isNaN(date) ? null : Math.max(0, date - now);
}

function number(text: string | undefined): number | null {
  if (text === undefined || !/^\s*\d+(\.\d+)?\s*$/.test(text)) return null;
  return Number(text);
}
