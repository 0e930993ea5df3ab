export { createRouter } from './router.ts';
export type { CandidateSnapshot, PickOptions, Router, RouterOptions, RouterOutcome } from './router.ts';
export type { RouterState } from './state.ts';
export type { Tuning } from './tuning.ts';
