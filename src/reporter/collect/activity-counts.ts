import type { ReportParts } from '../report/model.ts';

/** Beyond this, two cells become one, so that a long run does not make the reporter grow. */
const MAX_CELLS = 480;
const SMALLEST_MS = 500;

interface ActivityCell {
  requests: number;
  failures: number;
}

/** Requests and failures of one member over time, while the length of the run is not known. */
export class ActivityCounts {
  #size = SMALLEST_MS;
  #cells = new Map<number, ActivityCell>();

  add(at: number, failed: boolean): void {
    this.#put(Math.floor(at / this.#size), 1, failed ? 1 : 0);
    if (this.#cells.size > MAX_CELLS) this.#coarsen();
  }

  /** The time from `start` to `end` in `count` equal parts; null where nothing was added. */
  parts(start: number, end: number, count: number): ReportParts | null {
    if (this.#cells.size === 0) return null;
    const requests = Array.from({ length: count }, () => 0);
    const failures = Array.from({ length: count }, () => 0);
    for (const [cell, seen] of this.#cells) {
      const middle = (cell + 0.5) * this.#size;
      const part = Math.floor(((middle - start) / Math.max(1, end - start)) * count);
      const index = Math.min(count - 1, Math.max(0, part));
      requests[index]! += seen.requests;
      failures[index]! += seen.failures;
    }
    return { requests, failures };
  }

  #put(key: number, requests: number, failures: number): void {
    const cell = this.#cells.get(key);
    if (!cell) this.#cells.set(key, { requests, failures });
    else {
      cell.requests += requests;
      cell.failures += failures;
    }
  }

  #coarsen(): void {
    const cells = this.#cells;
    this.#cells = new Map();
    this.#size *= 2;
    for (const [key, seen] of cells) this.#put(Math.floor(key / 2), seen.requests, seen.failures);
  }
}
