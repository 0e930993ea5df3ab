/*
 * The events of a pool: each changes its state and returns effects. The broker calls these, and nothing else of the core
 * that changes a pool.
 */
export { type AcquireRequest, acquireLease, restoreLease } from './leases/acquire.ts';
export { endDeadlocks } from './leases/deadlocks.ts';
export { moveLease, retryInPlace } from './leases/move.ts';
export { requestPermit } from './leases/queue.ts';
export { cancelWaitsOf, dropClient, keepOnly, releaseLease } from './leases/release.ts';
export { reportRequest } from './requests.ts';
export { nextTick, tick } from './tick.ts';
