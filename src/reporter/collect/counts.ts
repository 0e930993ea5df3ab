import { isFault } from '../../core/verdict/recovery.ts';
import type { OutcomeKind } from '../../core/types.ts';
import { Samples } from './samples.ts';
import { ActivityCounts } from './activity-counts.ts';

/** What one request adds to the counts. `durationMs` is negative where no response came. */
export interface CountedRequest {
  readonly kind: OutcomeKind;
  readonly durationMs: number;
}

/** Running counts of an endpoint, a key, or the whole run. */
export class OutcomeCounts {
  leases = 0;
  requests = 0;
  successes = 0;
  failures = 0;
  readonly kinds: Partial<Record<OutcomeKind, number>> = {};
  readonly durations: Samples = new Samples();

  add(request: CountedRequest): void {
    this.requests++;
    if (request.durationMs >= 0) this.durations.add(request.durationMs);
    if (!isFault(request.kind)) {
      this.successes++;
      return;
    }
    this.failures++;
    this.kinds[request.kind] = (this.kinds[request.kind] ?? 0) + 1;
  }

  /** Of the requests whose outcome is known: some are only counted (see MAX_REQUESTS_PER_RECORD). */
  successRate(): number | null {
    const known = this.successes + this.failures;
    return known === 0 ? null : this.successes / known;
  }
}

/** Counts of an endpoint or a key, and when they happened. */
export class MemberCounts extends OutcomeCounts {
  readonly activity: ActivityCounts = new ActivityCounts();

  override add(request: CountedRequest, at: number = 0): void {
    super.add(request);
    this.activity.add(at, isFault(request.kind));
  }
}

export class EndpointCounts extends MemberCounts {
  url = '';
}

export class KeyCounts extends MemberCounts {
  fingerprint = '';
  /** Tokens that answers used, in all and by model, and those of answers that did not say. Null: no answer used any. */
  tokens: number | null = null;
  tokensEstimated: number | null = null;
  readonly tokensByModel = new Map<string, number>();
}

export interface PoolCounts {
  readonly name: string;
  readonly endpoints: Map<string, EndpointCounts>;
  readonly keys: Map<string, KeyCounts>;
}

export interface StrategyCounts {
  readonly task: string;
  readonly name: string;
  runs: number;
  successes: number;
  failures: number;
  fallbacks: number;
  totalMs: number;
  /** When it was the first choice, in milliseconds since the epoch. */
  readonly chosenAt: number[];
  estimate: { readonly at: number; readonly successRate: number; readonly avgMs: number } | null;
}

/** The map's value, which `make` creates where it is missing. */
export function getOrCreate<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const present = map.get(key);
  if (present !== undefined) return present;
  const made = make();
  map.set(key, made);
  return made;
}

/** A number to two decimals: no report needs nanoseconds. */
export function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}

export function roundedOrNull(value: number | null): number | null {
  return value === null ? null : rounded(value);
}
