import type { BrokerMessage } from '../wire/messages.ts';
import { GembaError } from '../core/errors.ts';

/** A broker that cannot be reached for this long is given up. */
export const REACH_MS = 10_000;

export function unreachable(why: string): GembaError {
  return new GembaError(
    'GEMBA_BROKER_UNREACHABLE',
    `The broker of this project could not be reached within ${REACH_MS / 1000} s: ${why}.\n` +
      'It is started by itself with this Node.js; check that processes may be started here and that the folder is writable.',
  );
}

export function rejected(message: Extract<BrokerMessage, { type: 'rejected' }>): GembaError {
  if (message.code === 'store') return new GembaError('GEMBA_STORE_UNREACHABLE', message.why);
  return new GembaError(
    'GEMBA_BROKER_VERSION',
    `The running broker of this project refused this process: ${message.why}.\n` +
      'Two versions of gemba-agent use the same configuration file: end the other run, or use one version.',
  );
}
