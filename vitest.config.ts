import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { MISSING_MS, patience } from './test/harness/patience.ts';

export default defineConfig({
  test: {
    expect: { poll: { timeout: MISSING_MS } },
    // Real Playwright runs wait more than they work: two side by side take half the time, also on two cores.
    maxWorkers: Math.max(2, Math.floor(availableParallelism() / 2)),
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/unit/**/*.test.ts'],
          isolate: false,
          testTimeout: 30_000 * patience,
        },
      },
      {
        test: {
          name: 'integration',
          include: ['test/integration/**/*.test.ts', 'test/package/**/*.test.ts'],
          globalSetup: ['test/harness/pack.ts'],
          testTimeout: 240_000 * patience,
          hookTimeout: 240_000 * patience,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
