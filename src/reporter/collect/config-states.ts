import { isoTime } from '../../shared/format.ts';
import type { GembaRecord } from '../../shared/record.ts';
import type { ReportRevision } from '../report/model.ts';

/** One state of the configuration, as all records describe it. */
type RecordedState = NonNullable<GembaRecord['revisions']>[number];

/** The states of the configuration over a run. */
export class ConfigStates {
  readonly #states = new Map<string, RecordedState>();

  /** Several processes report the same state; one that connected later does not know what had changed. */
  add(state: RecordedState): void {
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

  /** By time. */
  get revisions(): ReportRevision[] {
    return this.#sorted().map(({ at, revision, errors, changes }) => ({
      at: isoTime(at),
      revision,
      changes: changes.map(({ path, old, new: next }) => ({ path, old: old ?? null, new: next ?? null })),
      errors,
    }));
  }

  /** The revision in force at the end; null where none was reported. */
  get inForce(): string | null {
    return this.#sorted().at(-1)?.revision ?? null;
  }

  /** What was wrong with the file at the end, on each machine. */
  get errors(): string[] {
    const last = new Map(this.#sorted().map((state) => [state.broker, state]));
    const newest = [...last.values()].filter(({ errors }) => errors.length > 0);
    return [...new Set(newest.flatMap(({ errors }) => errors))];
  }

  #sorted(): RecordedState[] {
    return [...this.#states.values()].sort((a, b) => a.at - b.at || a.seq - b.seq);
  }
}
