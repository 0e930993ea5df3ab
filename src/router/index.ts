export { createRouter } from './router.ts';
export type { PickOptions, Router, RouterOptions, RouterOutcome } from './router.ts';
export type { CandidateSnapshot } from './snapshot.ts';
export type { RouterState } from './state.ts';
export type { Tuning } from './tuning.ts';
