import { setTimeout as sleep } from 'node:timers/promises';
import type { BrokerMessage } from '../wire/messages.ts';
import { GembaError } from '../core/errors.ts';
import { PROTOCOL_VERSION } from '../wire/lines.ts';
import { SILENT_S } from './countdown.ts';

/** A broker that cannot be reached for this long is given up. */
export const REACH_MS = 10_000;

export function unreachable(why: string, printed?: string): GembaError {
  const advice =
    printed === undefined
      ? 'Check that processes may be started here.'
      : `It ended, and printed:\n${printed.replaceAll(/^/gm, '  ')}`;
  return new GembaError(
    'GEMBA_BROKER_UNREACHABLE',
    `The broker of this project could not be reached within ${REACH_MS / 1000} s: ${why}.\n` +
      `It is a small process that gemba-agent starts with this Node.js. ${advice}`,
  );
}

/** Something else holds the name that this project's broker has. */
export function foreign(project: string): GembaError {
  return new GembaError(
    'GEMBA_BROKER_UNREACHABLE',
    `A process that is not yours answers in the place of this project's broker (${project}).\n` +
      'It belongs to another user of this machine, or to a container that shares its network and its processes. ' +
      'End it, or run the tests with a network of their own.',
  );
}

/** A broker lives, does not answer, and cannot be replaced. */
export function silent(pid: number | null): GembaError {
  const [who, how] = pid === null ? ['', ''] : [` (process ${pid})`, `; \`kill -9 ${pid}\` ends it`];
  return new GembaError(
    'GEMBA_BROKER_UNREACHABLE',
    `The broker of this project${who} is alive, but it has not answered for ${SILENT_S} s.\n` +
      `It may be stopped, or the machine is overloaded. Continue or end it${how}. ` +
      'The next test starts a new one, and running tests keep their leases.',
  );
}

/** A question that the broker left without an answer, though it has time for others. */
export function unanswered(question: string, seconds: number): GembaError {
  return new GembaError(
    'GEMBA_BROKER_UNREACHABLE',
    `The broker of this project gave no answer to "${question}" within ${Math.round(seconds)} s, so that is given up.`,
  );
}

/** The broker does not understand a question: a defect of this package, said to the one who asked. */
export function invalid(question: string, why: string): GembaError {
  return new GembaError(
    'GEMBA_MESSAGE_REFUSED',
    `The broker of this project refused "${question}": ${why}.\n` +
      'This is a defect of gemba-agent. Other leases are not affected; please report it with this message.',
  );
}

export function versionDiffers(version: number): GembaError {
  return new GembaError(
    'GEMBA_BROKER_VERSION',
    `The running broker of this project speaks protocol ${version}, this process ${PROTOCOL_VERSION}.\n` +
      'Two versions of gemba-agent use the same configuration file: end the other run, or use one version.',
  );
}

export function rejected({ code, why }: Extract<BrokerMessage, { type: 'rejected' }>): GembaError {
  if (code === 'store') return new GembaError('GEMBA_STORE_UNREACHABLE', why);
  if (code === 'other-store') return new GembaError('GEMBA_STORE_CHANGED', why);
  return new GembaError(
    'GEMBA_BROKER_VERSION',
    `The running broker of this project refused this process: ${why}.\n` +
      'Two versions of gemba-agent use the same configuration file: end the other run, or use one version.',
  );
}

/** What a broker answers, if it does so in time: one that hangs must not hold up its caller. */
export async function inTime<T>(answer: Promise<T>, withinMs: number): Promise<T> {
  const timer = new AbortController();
  const late = sleep(withinMs, undefined, { signal: timer.signal, ref: false }).then(() => {
    throw new GembaError(
      'GEMBA_BROKER_UNREACHABLE',
      `The broker of this project gave no answer within ${withinMs / 1000} s.\n` +
        'It may be stopped, or the machine is overloaded. Try again; if that does not help, end the runs that use it.',
    );
  });
  late.catch(() => {});
  try {
    return await Promise.race([answer, late]);
  } finally {
    timer.abort();
  }
}
