const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** Units in which durations are written, in milliseconds. */
export const DURATION_UNITS = { ms: 1, s: SECOND, m: MINUTE, h: HOUR } as const;

/** What people read where no number was measured. */
export const NOT_MEASURED = 'not measured';

/** `12345` → `12,345` */
export function count(value: number): string {
  // By hand: a locale's own takes milliseconds to load.
  return String(Math.round(value)).replaceAll(/\B(?=(?:\d{3})+$)/g, ',');
}

/** `1, 'test'` → `1 test`; `3, 'retry', 'retries'` → `3 retries` */
export function counted(value: number, one: string, many: string = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`;
}

/** Milliseconds as people say them: `4.2 ms`, `412 ms`, `1.2 s`, `2 min 5 s`, `1 h 5 min`. */
export function duration(ms: number): string {
  if (ms === 0) return '0 ms';
  if (ms < 9.95) return `${trimZero(ms.toFixed(1))} ms`;
  if (ms < SECOND - 0.5) return `${Math.round(ms)} ms`;
  if (ms < MINUTE - 50) return `${trimZero((ms / SECOND).toFixed(1))} s`;
  const seconds = Math.round(ms / SECOND);
  if (seconds < 3600) return parts([Math.floor(seconds / 60), 'min'], [seconds % 60, 's']);
  const minutes = Math.round(ms / MINUTE);
  if (minutes < 48 * 60) return parts([Math.floor(minutes / 60), 'h'], [minutes % 60, 'min']);
  return parts([Math.floor(ms / (24 * HOUR)), 'd'], [Math.floor((ms % (24 * HOUR)) / HOUR), 'h']);
}

/** A rate of 0 to 1 as percent. Only a rate of exactly 1 reads `100 %`, and only 0 reads `0 %`. */
export function percent(rate: number): string {
  if (rate <= 0) return '0 %';
  if (rate >= 1) return '100 %';
  const tenths = Math.min(999, Math.max(1, Math.round(rate * 1000)));
  return `${trimZero((tenths / 10).toFixed(1))} %`;
}

/** `02:10:04`, in UTC like every time of the report. */
export function clockTime(at: number): string {
  return isoTime(at).slice(11, 19);
}

/** `02:10`, in UTC. */
export function clockMinute(at: number): string {
  return isoTime(at).slice(11, 16);
}

/** `2026-11-23 02:10:04 UTC` */
export function dateTime(at: number): string {
  return `${isoTime(at).slice(0, 10)} ${clockTime(at)} UTC`;
}

/** A moment as seen from another: only its time on the same day, else with its date. */
export function moment(at: number, from: number): string {
  const [day, dayBefore] = [isoTime(at).slice(0, 10), isoTime(from).slice(0, 10)];
  return day === dayBefore ? clockTime(at) : `${day} ${clockMinute(at)}`;
}

/** The window of two moments, as short as it can be said: `02:10–02:27`, `02:10:04–02:10:31`, `02:10:04`. */
export function timeWindow(from: number, to: number): string {
  if (clockTime(from) === clockTime(to)) return clockTime(from);
  if (to - from < 2 * MINUTE) return `${clockTime(from)}–${clockTime(to)}`;
  return `${clockMinute(from)}–${clockMinute(to)}`;
}

/** ISO text of a moment, also of one that no date can hold. */
export function isoTime(at: number): string {
  return new Date(withinDates(at)).toISOString();
}

/** A moment that others told, as far as dates reach. */
export function withinDates(at: number): number {
  const limit = 8.64e15;
  return Math.min(limit, Math.max(-limit, Number.isFinite(at) ? at : 0));
}

/** The first line with text in it. */
export function firstLine(text: string): string {
  return (
    text
      .split('\n')
      .find((line) => line.trim() !== '')
      ?.trim() ?? ''
  );
}

/** Text of at most `length` characters. */
export function shorten(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 1).trimEnd()}…`;
}

/** Text as a part of an address. It may hold half a surrogate pair, which an address cannot. */
export function encodedPart(text: string): string {
  return encodeURIComponent(text.replaceAll(/[\uD800-\uDFFF]/gu, '\uFFFD'));
}

/** Text as the beginning of a sentence. */
export function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function parts(large: [number, string], small: [number, string]): string {
  const said = `${count(large[0])} ${large[1]}`;
  return small[0] === 0 ? said : `${said} ${small[0]} ${small[1]}`;
}

function trimZero(text: string): string {
  return text.endsWith('.0') ? text.slice(0, -2) : text;
}
