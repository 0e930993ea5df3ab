import { isFault } from '../../core/verdict/recovery.ts';
import type { OutcomeKind } from '../../core/types.ts';
import { Samples } from './samples.ts';
import { Spark } from './activity.ts';

/** What one attempt adds to the counts. `durationMs` is below zero where no response came. */
export interface CountedRequest {
  readonly kind: OutcomeKind;
  readonly durationMs: number;
}

/** Running counts of an endpoint, a key, or the whole run. */
export class Tally {
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

  /** Of the attempts whose outcome is known: some are only counted (see MAX_ATTEMPTS_PER_RECORD). */
  successRate(): number | null {
    const known = this.successes + this.failures;
    return known === 0 ? null : this.successes / known;
  }
}

/** Counts of an endpoint or a key: also when. */
export class MemberTally extends Tally {
  readonly spark: Spark = new Spark();

  override add(request: CountedRequest, at: number = 0): void {
    super.add(request);
    this.spark.add(at, isFault(request.kind));
  }
}

export class EndpointTally extends MemberTally {
  url = '';
}

export class KeyTally extends MemberTally {
  fingerprint = '';
}

export interface PoolTally {
  readonly name: string;
  readonly endpoints: Map<string, EndpointTally>;
  readonly keys: Map<string, KeyTally>;
}

export interface StrategyTally {
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

/** Get what a map has under a key, or put there what `make` gives. */
export function ensure<K, V>(map: Map<K, V>, key: K, make: () => V): V {
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
