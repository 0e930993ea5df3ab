import { counted, isoTime } from '../../shared/format.ts';
import type { RunHistory } from './history-run.ts';
import type { TestChange } from './outcomes.ts';

/** `new failure`, `still failing since 2026-11-20 (4 runs)`, `fixed`, `flaky by the product in 3 runs` */
export function changeText({ change, runs, since }: TestChange, history: RunHistory): string {
  if (change === 'new') return 'new failure';
  if (change === 'fixed') return 'fixed';
  if (change === 'still') {
    const begun = since === null ? undefined : runAt(history, since);
    return `still failing${begun === undefined ? '' : ` since ${begun}`} (${counted(runs, 'run')})`;
  }
  const cause = change === 'flaky-product' ? 'product' : 'environment';
  return `flaky by the ${cause} in ${counted(runs, 'run')}`;
}

/** The day of a run, by the position of its letter in the outcomes. */
function runAt({ runs, outcomes }: RunHistory, position: number): string | undefined {
  const [letters = ''] = outcomes.values();
  const run = runs[runs.length - (letters.length - 1) + position];
  return run && isoTime(Date.parse(run.startedAt)).slice(0, 10);
}
