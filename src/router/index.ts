export { createRouter } from './router.ts';
export type { CandidateSnapshot, PickOptions, Router, RouterOptions, RouterOutcome } from './router.ts';
