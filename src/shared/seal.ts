import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

/*
 * A reporter tells the records of its own run from those that a test attaches by hand. The runner's process makes a
 * secret; its workers inherit it and seal what they write. Where blobs are merged the secret is gone.
 */

const VARIABLE = 'GEMBA_RECORD_SEAL';
const SEAL = /,"seal":"([0-9a-f]{32})"\}$/;

type WritableEnv = Record<string, string | undefined>;

/** The secret of this runner's workers. */
export function openSeal(env: WritableEnv): string {
  return (env[VARIABLE] ??= randomBytes(16).toString('hex'));
}

/** The secret that this worker inherited; none where no reporter of ours runs beside it. */
export function inheritedSeal(env: WritableEnv): string | undefined {
  return env[VARIABLE];
}

/** The text of a JSON object, with its seal as a further field. */
export function sealed(text: string, secret: string): string {
  return `${text.slice(0, -1)},"seal":"${sealOf(text, secret)}"}`;
}

export function isSealed(text: string, secret: string): boolean {
  const found = SEAL.exec(text);
  if (!found) return false;
  const content = `${text.slice(0, found.index)}}`;
  return timingSafeEqual(Buffer.from(found[1]!), Buffer.from(sealOf(content, secret)));
}

function sealOf(text: string, secret: string): string {
  return createHmac('sha256', secret).update(text).digest('hex').slice(0, 32);
}
