import type { CollectedTest } from '../collect/run-state.ts';
import type { ReportPin } from './model.ts';

/** The targets that tests named, those of most tests first. */
export function pinsOf(tests: readonly CollectedTest[]): ReportPin[] {
  const pins = new Map<string, ReportPin>();
  for (const { results } of tests) {
    const pin = results.find(({ pinned }) => pinned !== null)?.pinned;
    if (!pin) continue;
    const { pool, to, by } = pin;
    const id = JSON.stringify([pool, to, by]);
    pins.set(id, { pool, to, by, tests: (pins.get(id)?.tests ?? 0) + 1 });
  }
  return [...pins.values()].toSorted((one, other) => other.tests - one.tests);
}
