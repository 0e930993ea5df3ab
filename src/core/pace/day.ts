/** A time of day in a time zone: `00:00 UTC`, `09:30 Europe/Berlin`. */
const TIME_OF_DAY = /^([01]\d|2[0-3]):([0-5]\d) (\S+)$/;
const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;

/** Whether it is a time of day in a zone that there is. */
export function isTimeOfDay(text: string): boolean {
  const zone = TIME_OF_DAY.exec(text)?.[3];
  try {
    return zone !== undefined && Boolean(new Intl.DateTimeFormat('en-US', { timeZone: zone }));
  } catch {
    return false;
  }
}

/** The next date, in milliseconds since the epoch, at which it is that time of day. */
export function nextTimeOfDay(text: string, date: number): number {
  const [, hours = 0, minutes = 0, zone = 'UTC'] = TIME_OF_DAY.exec(text) ?? [];
  const wanted = Number(hours) * 60 + Number(minutes);
  const next = date + untilMs(wanted, zone, date);
  // Where the clocks change in between, that is an hour off.
  const off = untilMs(wanted, zone, next - 1);
  return Math.round(off <= DAY_MS / 2 ? next - 1 + off : next - 1 - (DAY_MS - off));
}

/** How long until then by the clock on the wall there; more than 0. */
function untilMs(wanted: number, timeZone: string, date: number): number {
  const parts = new Intl.DateTimeFormat('en-US', { timeZone, hourCycle: 'h23', timeStyle: 'short' });
  const [hours = 0, minutes = 0] = parts.format(date).split(/\D+/).map(Number);
  const sinceMidnight = (hours * 60 + minutes) * MINUTE_MS + (date % MINUTE_MS);
  return (wanted * MINUTE_MS - sinceMidnight + DAY_MS) % DAY_MS || DAY_MS;
}
