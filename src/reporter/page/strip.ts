/**
 * The marks of a test's last outcomes, drawn by the page's markup and by its script alike. The height says whether it failed or was
 * flaky, the colour whose failure it was; each is also said in words. Runs that it passed are the ground on which the marks
 * stand, and those that it did not run are gaps in it.
 */
import { count, counted } from '../../shared/format.ts';

interface StripMark {
  readonly words: string;
  /** Its class on the page; empty: the ground. */
  readonly mark: '' | 'product' | 'environment' | 'unknown' | 'gap';
  readonly height: number;
}

const GROUND = 3;
/** By the letters of `history/outcomes.ts`. */
const MARKS: Readonly<Record<string, StripMark>> = {
  p: { words: 'passed', mark: '', height: 0 },
  P: { words: 'failed by the product', mark: 'product', height: 14 },
  E: { words: 'failed by the environment', mark: 'environment', height: 14 },
  U: { words: 'failed, cause unknown', mark: 'unknown', height: 14 },
  f: { words: 'flaky by the product', mark: 'product', height: 9 },
  e: { words: 'flaky by the environment', mark: 'environment', height: 9 },
  u: { words: 'flaky, cause unknown', mark: 'unknown', height: 9 },
  s: { words: 'skipped', mark: 'gap', height: GROUND },
  i: { words: 'interrupted', mark: 'gap', height: GROUND },
};
const NOT_RUN: StripMark = { words: 'not run', mark: 'gap', height: GROUND };

const STEP = 5;
const WIDTH = 4;
export const STRIP_HEIGHT = 14;

export interface StripView {
  readonly width: number;
  readonly viewBox: string;
  /** `Last 12 runs: 9 passed, 2 failed by the product, 1 flaky by the environment` */
  readonly label: string;
  readonly paths: readonly { readonly mark: string; readonly path: string }[];
}

export function stripOf(outcomes: string): StripView {
  const paths = new Map<string, string>();
  const counts = new Map<string, number>();
  outcomes.split('').forEach((letter, index) => {
    const { words, mark, height } = MARKS[letter] ?? NOT_RUN;
    counts.set(words, (counts.get(words) ?? 0) + 1);
    if (mark === '') return;
    const box = `M${index * STEP} ${STRIP_HEIGHT - height}h${WIDTH}v${height}h-${WIDTH}z`;
    paths.set(mark, (paths.get(mark) ?? '') + box);
  });
  const width = Math.max(1, outcomes.length) * STEP - (STEP - WIDTH);
  const parts = [...counts].map(([words, times]) => `${count(times)} ${words}`);
  return {
    width,
    viewBox: `0 0 ${width} ${STRIP_HEIGHT}`,
    label: `Last ${counted(outcomes.length, 'run')}: ${parts.join(', ')}`,
    paths: [...paths].map(([mark, path]) => ({ mark, path })),
  };
}
