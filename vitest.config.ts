import { defineConfig } from 'vitest/config';
import { patience } from './test/harness/patience.ts';

export default defineConfig({
  test: {
    projects: [
      { test: { name: 'unit', include: ['test/unit/**/*.test.ts'] } },
      {
        test: {
          name: 'integration',
          include: ['test/integration/**/*.test.ts', 'test/package/**/*.test.ts'],
          globalSetup: ['test/harness/pack.ts'],
          testTimeout: 120_000 * patience,
          hookTimeout: 120_000 * patience,
          fileParallelism: false,
        },
      },
    ],
  },
});
