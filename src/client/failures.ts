import { setTimeout as sleep } from 'node:timers/promises';
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

/** What a broker answers, if it does so in time: one that hangs must not hold up whoever asked. */
export async function inTime<T>(answer: Promise<T>, withinMs: number, where: string): Promise<T> {
  const timer = new AbortController();
  const late = sleep(withinMs, undefined, { signal: timer.signal, ref: false }).then(() => {
    throw new GembaError(
      'GEMBA_BROKER_UNREACHABLE',
      `The broker of this project, at ${where}, gave no answer within ${withinMs / 1000} s.\n` +
        'It may be stopped, or of another version of gemba-agent: end the runs that use it, and try again.',
    );
  });
  late.catch(() => {});
  try {
    return await Promise.race([answer, late]);
  } finally {
    timer.abort();
  }
}
