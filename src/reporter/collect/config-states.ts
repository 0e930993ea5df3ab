import { isoTime } from '../../shared/format.ts';
import type { GembaRecord } from '../../shared/record.ts';
import type { ReportRevision } from '../report/model.ts';

/** What was seen of one state of the configuration, by all that told of it. */
type SeenState = NonNullable<GembaRecord['revisions']>[number];

/** What is to be known of the configuration over a run. */
export class SeenStates {
  readonly #states = new Map<string, SeenState>();

  /** Adds what one process tells. Several tell of the same; one that came later cannot tell what had changed. */
  add(state: SeenState): void {
    const name = `${state.broker}\n${state.seq}`;
    const known = this.#states.get(name);
    this.#states.set(name, {
      ...state,
      errors: [...new Set([...(known?.errors ?? []), ...state.errors])],
      changes: known && known.changes.length > 0 ? known.changes : state.changes,
    });
  }

  get isEmpty(): boolean {
    return this.#states.size === 0;
  }

  /** In the order of time. */
  get revisions(): ReportRevision[] {
    return this.#sorted().map(({ at, revision, errors, changes }) => ({
      at: isoTime(at),
      revision,
      changes: changes.map(({ path, old, new: next }) => ({ path, old: old ?? null, new: next ?? null })),
      errors,
    }));
  }

  /** The revision in force at the end; null where nobody told. */
  get inForce(): string | null {
    return this.#sorted().at(-1)?.revision ?? null;
  }

  /** What was wrong with the file at the end, on each machine. */
  get errors(): string[] {
    const last = new Map(this.#sorted().map((state) => [state.broker, state]));
    // A broker that ended was followed by another one of its machine.
    const newest = [...last.values()].filter(({ errors }) => errors.length > 0);
    return [...new Set(newest.flatMap(({ errors }) => errors))];
  }

  #sorted(): SeenState[] {
    return [...this.#states.values()].sort((a, b) => a.at - b.at || a.seq - b.seq);
  }
}
