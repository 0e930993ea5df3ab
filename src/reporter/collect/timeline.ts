import { isoTime, withinDates } from '../../shared/format.ts';
import type { ReportBucket } from '../report/model.ts';
import { ensure, rounded } from './tally.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const MAX_BUCKETS = 200;
/** Sizes of a bucket; the first that the run fits into is taken. */
const SIZES: readonly { size: number; upTo: number }[] = [
  { size: SECOND, upTo: 3 * MINUTE },
  { size: 10 * SECOND, upTo: 30 * MINUTE },
  ...[1, 5, 15, 60, 360, 1440, 10080].map((minutes) => ({
    size: minutes * MINUTE,
    upTo: MAX_BUCKETS * minutes * MINUTE,
  })),
];

interface Beat {
  requests: number;
  failures: number;
  responses: number;
  totalMs: number;
}

/** Attempts by second, while the length of the run is not yet known. */
export class Pulse {
  private readonly beats = new Map<number, Beat>();

  add(at: number, failed: boolean, durationMs: number): void {
    const beat = ensure(this.beats, Math.floor(withinDates(at) / SECOND), emptyBeat);
    beat.requests++;
    if (failed) beat.failures++;
    if (durationMs < 0) return;
    beat.responses++;
    beat.totalMs += durationMs;
  }

  /** The run as a row of equal buckets without gaps, at most about 200; none where nothing was measured. */
  timeline(startedAt: number, endedAt: number): ReportBucket[] {
    if (this.beats.size === 0) return [];
    let [from, to] = [withinDates(startedAt), withinDates(endedAt)];
    for (const second of this.beats.keys()) {
      from = Math.min(from, second * SECOND);
      to = Math.max(to, second * SECOND);
    }
    const size = bucketSize(to - from);
    const first = Math.floor(from / size);
    const buckets = Array.from({ length: Math.floor(to / size) - first + 1 }, emptyBeat);
    for (const [second, beat] of this.beats) {
      add(buckets[Math.floor((second * SECOND) / size) - first]!, beat);
    }
    return buckets.map((beat, index) => toBucket(beat, (first + index) * size));
  }
}

/** From when to when a timeline goes; that of the run where it is empty. */
export function spanOf(
  timeline: readonly ReportBucket[],
  startedAt: number,
  endedAt: number,
): { from: number; to: number } {
  if (timeline.length === 0) return { from: startedAt, to: Math.max(endedAt, startedAt + SECOND) };
  const from = Date.parse(timeline[0]!.at);
  const size = timeline.length > 1 ? Date.parse(timeline[1]!.at) - from : SECOND;
  return { from, to: from + size * timeline.length };
}

export function bucketSize(spanMs: number): number {
  return SIZES.find(({ upTo }) => spanMs <= upTo)?.size ?? Math.ceil(spanMs / MAX_BUCKETS);
}

function emptyBeat(): Beat {
  return { requests: 0, failures: 0, responses: 0, totalMs: 0 };
}

function add(sum: Beat, beat: Beat): void {
  sum.requests += beat.requests;
  sum.failures += beat.failures;
  sum.responses += beat.responses;
  sum.totalMs += beat.totalMs;
}

function toBucket(beat: Beat, at: number): ReportBucket {
  const avgMs = beat.responses === 0 ? null : rounded(beat.totalMs / beat.responses);
  return { at: isoTime(at), requests: beat.requests, failures: beat.failures, avgMs };
}
