import { setTimeout as sleep } from 'node:timers/promises';

/** `GEMBA_TEST_PATIENCE=4`: everything that is waited for may take four times as long, on a machine that has other work. */
export const patience = Math.max(1, Number(process.env['GEMBA_TEST_PATIENCE'] ?? 1) || 1);

/** After this long, what a test waits for counts as missing: long enough that a busy machine never looks like a fault. */
export const MISSING_MS = 60_000 * patience;

export async function until(what: string, holds: () => boolean): Promise<void> {
  const end = performance.now() + MISSING_MS;
  while (!holds()) {
    if (performance.now() > end) throw new Error(`Not within ${MISSING_MS} ms: ${what}`);
    await sleep(5);
  }
}
