import { GembaError } from '../core/errors.ts';
import { LIMITS } from '../core/limits.ts';
import { OUTCOME_KINDS } from '../core/types.ts';
import { plainLine } from './sanitize.ts';

/*
 * What the public functions are called with, looked at where that can be said to the caller: what passes here, the broker
 * and the report accept. By hand, so that no worker loads a schema for it.
 */

/** The labels that a key must carry. Throws `GEMBA_USAGE` for what cannot be one. */
export function checkNeed(need: unknown, by: string): void {
  if (typeof need !== 'object' || need === null || Array.isArray(need))
    throw usage(by, `got \`need: ${said(need)}\`: it is an object of labels and their values`);
  for (const [label, value] of Object.entries(need)) {
    if (typeof value !== 'string')
      throw usage(by, `got \`need.${cut(label)}: ${said(value)}\`: a label's value is a text`);
    if (label.length > LIMITS.name || value.length > LIMITS.name)
      throw usage(by, `got a label or value of more than ${LIMITS.name} characters in \`need\``);
  }
}

/** The options of a lease. Throws `GEMBA_USAGE` for what cannot be meant. */
export function checkLeaseOptions(options: unknown, by: string): void {
  if (typeof options !== 'object' || options === null)
    throw usage(by, `got ${said(options)}: it takes an object with \`pool\`, \`need\` and \`timeoutMs\``);
  const { pool, need, endpoint, timeoutMs }: Partial<Record<string, unknown>> = { ...options };
  if (pool !== undefined && typeof pool !== 'string')
    throw usage(by, `got \`pool: ${said(pool)}\`: it is a pool's name`);
  if (endpoint !== undefined && typeof endpoint !== 'string')
    throw usage(by, `got \`endpoint: ${said(endpoint)}\`: it is an endpoint's name`);
  if (need !== undefined) checkNeed(need, by);
  checkTimeout(timeoutMs, by);
}

/** The outcome of a call. Throws `GEMBA_USAGE` for what is none. */
export function checkOutcome(outcome: unknown, by: string): void {
  if (typeof outcome !== 'object' || outcome === null)
    throw usage(
      by,
      `got ${said(outcome)}: it takes an object with \`kind\` and, where known, \`durationMs\` and \`status\``,
    );
  const { kind, durationMs, status, message }: Partial<Record<string, unknown>> = { ...outcome };
  if (!(OUTCOME_KINDS as readonly unknown[]).includes(kind))
    throw usage(by, `got \`kind: ${said(kind)}\`: it is one of ${OUTCOME_KINDS.join(', ')}`);
  const isTime = typeof durationMs === 'number' && durationMs >= 0 && durationMs <= LIMITS.durationMs;
  if (durationMs !== undefined && !isTime)
    throw usage(by, `got \`durationMs: ${said(durationMs)}\`: it is a number of milliseconds from 0 on`);
  const isStatus = typeof status === 'number' && Number.isInteger(status) && status >= 100 && status <= 999;
  if (status !== undefined && !isStatus)
    throw usage(by, `got \`status: ${said(status)}\`: it is a whole number from 100 to 999`);
  if (message !== undefined && typeof message !== 'string')
    throw usage(by, `got \`message: ${said(message)}\`: it is a text`);
}

/** A value as an error quotes it. */
export function said(value: unknown): string {
  if (value === null || value === undefined || typeof value === 'number') return String(value);
  if (typeof value === 'string')
    return value.length > LIMITS.name ? `a text of ${value.length}` : `"${value}"`;
  return typeof value;
}

export function usage(by: string, what: string): GembaError {
  return new GembaError('GEMBA_USAGE', `${by} ${what}.`);
}

/** How long a caller is willing to wait. Throws `GEMBA_USAGE` for what no timer can take. */
function checkTimeout(timeoutMs: unknown, by: string): void {
  const isTime = typeof timeoutMs === 'number' && timeoutMs >= 0 && timeoutMs <= LIMITS.durationMs;
  if (timeoutMs === undefined || isTime) return;
  throw usage(
    by,
    `got \`timeoutMs: ${said(timeoutMs)}\`: it is a number of milliseconds from 0 to ${LIMITS.durationMs}`,
  );
}

function cut(label: string): string {
  return plainLine(label).slice(0, LIMITS.name);
}
