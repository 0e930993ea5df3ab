/** The pace of one member: when its next call may go. */
export interface Pace {
  /** Theoretical arrival time of the next call, ms since the epoch. */
  nextAt: number;
}

/**
 * Reserves the next turn at `rpm` calls a minute and tells how long to wait for it. At most max(1, rpm / 60) calls go
 * at once; the rest are spread evenly. Generic cell rate algorithm (ITU-T I.371), in its virtual scheduling form.
 */
export function reserveTurn(pace: Pace, rpm: number, now: number): number {
  const interval = 60_000 / rpm;
  const tolerance = (Math.max(1, rpm / 60) - 1) * interval;
  const arrival = Math.max(pace.nextAt, now);
  pace.nextAt = arrival + interval;
  return Math.max(0, arrival - tolerance - now);
}
