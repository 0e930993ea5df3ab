import type { OpenGemba, OpenOptions } from './types.ts';

export type { Outcome } from '../fixtures/lease/plain-lease.ts';
export type { PlainLease as Lease } from '../fixtures/lease/plain-lease.ts';
export type { FetchInit, LeaseOptions, OpenGemba, OpenOptions } from './types.ts';

/**
 * Leases without Playwright: for a `globalSetup`, scripts and other test runners. They share members, health and rates
 * with all tests of the configuration. A process that ends, or dies, gives its leases back.
 *
 * @example
 * const gemba = await openGemba({ holder: 'global setup' });
 * const lease = await gemba.lease({ pool: 'accounts', need: { role: 'admin' } });
 * await gemba.fetch('/seed', { method: 'POST', lease });
 * await gemba.close();
 */
export async function openGemba(options: OpenOptions = {}): Promise<OpenGemba> {
  // An importer may never open anything.
  const { open } = await import('./open.ts');
  return open(options);
}
