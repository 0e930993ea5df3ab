/** Milliseconds. The only source of time that decisions see. */
export type Clock = () => number;

/** A number in [0, 1). The only source of chance that decisions see. */
export type Random = () => number;

/** The date, in milliseconds since the epoch. It may jump: for dates from others and for others only. */
export const systemClock: Clock = () => Date.now();
export const systemRandom: Random = () => Math.random();

/** Milliseconds of a clock that never jumps: for waits, deadlines and rates. */
export const monotonic: Clock = () => performance.now();

/** A date that never jumps: that of the process's start, and from there on by the monotonic clock. */
export const steadyClock: Clock = () => performance.timeOrigin + performance.now();

/** The date of a time of the steady clock. */
export function dateOfSteady(at: number): number {
  return at + systemClock() - steadyClock();
}

/** A repeatable `Random`: mulberry32 (Tommy Ettinger, 2017), seeded by a string through FNV-1a. */
export function seededRandom(seed: string): Random {
  let state = fnv1a(seed);
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++)
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  return hash | 0;
}
