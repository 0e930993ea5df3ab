import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { patience } from '../harness/patience.ts';

/** The core suite: one combination of Node, Playwright and kind of module. `scripts/compat.mjs` runs it in many. */
export default defineConfig({
  test: {
    root: fileURLToPath(new URL('../..', import.meta.url)),
    include: ['test/compat/**/*.test.ts'],
    globalSetup: ['test/harness/pack.ts'],
    testTimeout: 300_000 * patience,
    hookTimeout: 300_000 * patience,
    fileParallelism: false,
  },
});
