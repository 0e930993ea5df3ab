import { changeOf } from '../history/outcomes.ts';
import { changeText } from '../history/texts.ts';
import type { RunHistory } from '../history/history-run.ts';

/** What the runs before say of each test. */
export interface TestMemory {
  /** One letter a run, this run’s last; null without earlier runs. */
  outcomes: (id: string) => string | null;
  /** `still failing since 2026-11-20 (4 runs)`; null where there is nothing to say. */
  change: (id: string) => string | null;
  /** The branch that the run is compared with; null for all, or where there is no run before. */
  readonly branch: string | null;
}

/** An outcome before this run's. */
const EARLIER = /[^.].*.$/s;

export function memoryOf(history: RunHistory | null): TestMemory {
  if (history === null || history.runs.length === 0) {
    return { outcomes: () => null, change: () => null, branch: null };
  }
  const known = (id: string): string => history.outcomes.get(id) ?? '';
  return {
    outcomes: (id) => (EARLIER.test(known(id)) ? known(id) : null),
    change: (id) => {
      const change = changeOf(known(id));
      return change && changeText(change, history);
    },
    branch: history.comparedWith,
  };
}
