import { isoTime, withinDates } from '../../shared/format.ts';
import type { ReportBucket } from '../report/model.ts';
import { getOrCreate, rounded } from './counts.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const MAX_BUCKETS = 200;
/** Sizes of a bucket: the first one that the run fits into is used. */
const SIZES: readonly { size: number; upTo: number }[] = [
  { size: SECOND, upTo: 3 * MINUTE },
  { size: 10 * SECOND, upTo: 30 * MINUTE },
  ...[1, 5, 15, 60, 360, 1440, 10080].map((minutes) => ({
    size: minutes * MINUTE,
    upTo: MAX_BUCKETS * minutes * MINUTE,
  })),
];

interface SecondCounts {
  requests: number;
  failures: number;
  responses: number;
  totalMs: number;
}

/** Requests by second, while the length of the run is not known. */
export class TimelineCounts {
  readonly #seconds = new Map<number, SecondCounts>();

  add(at: number, failed: boolean, durationMs: number): void {
    const counts = getOrCreate(this.#seconds, Math.floor(withinDates(at) / SECOND), noCounts);
    counts.requests++;
    if (failed) counts.failures++;
    if (durationMs < 0) return;
    counts.responses++;
    counts.totalMs += durationMs;
  }

  /** Equal buckets without gaps, about 200 at most; none where nothing was measured. */
  buckets(startedAt: number, endedAt: number): ReportBucket[] {
    if (this.#seconds.size === 0) return [];
    let [from, to] = [withinDates(startedAt), withinDates(endedAt)];
    for (const second of this.#seconds.keys()) {
      from = Math.min(from, second * SECOND);
      to = Math.max(to, second * SECOND);
    }
    const size = bucketSize(to - from);
    const first = Math.floor(from / size);
    const buckets = Array.from({ length: Math.floor(to / size) - first + 1 }, noCounts);
    for (const [second, counts] of this.#seconds) {
      add(buckets[Math.floor((second * SECOND) / size) - first]!, counts);
    }
    return buckets.map((counts, index) => toBucket(counts, (first + index) * size));
  }
}

/** The time that a timeline covers; that of the run where it is empty. */
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

function noCounts(): SecondCounts {
  return { requests: 0, failures: 0, responses: 0, totalMs: 0 };
}

function add(sum: SecondCounts, counts: SecondCounts): void {
  sum.requests += counts.requests;
  sum.failures += counts.failures;
  sum.responses += counts.responses;
  sum.totalMs += counts.totalMs;
}

function toBucket(counts: SecondCounts, at: number): ReportBucket {
  const avgMs = counts.responses === 0 ? null : rounded(counts.totalMs / counts.responses);
  return { at: isoTime(at), requests: counts.requests, failures: counts.failures, avgMs };
}
