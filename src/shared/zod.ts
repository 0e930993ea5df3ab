import { createRequire } from 'node:module';
import type * as zod from 'zod';

/**
 * zod as CommonJS. Playwright sends every ES module through a loader in another thread, and zod has a hundred of them:
 * that took longer than all that a worker, or the report of a small run, does with it.
 */
export const { z } = createRequire(import.meta.url)('zod') as typeof zod;
