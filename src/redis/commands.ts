import { StoreUnusableError } from './failures.ts';
import type { Keys } from './keys.ts';
import type { ScriptCall } from './script.ts';
import type { PaceWindow } from '../core/pace/pace.ts';
import type { BudgetSpec } from '../core/types.ts';
import type { Slot } from '../core/state.ts';

/** A call that nobody settles counts for so long. */
const OPEN_MS = 600_000;

/** The calls of the scripts in lua/, and their answers: the one place where the codes are read. Times are the server's. */

export interface Claimed {
  readonly lease: string;
  readonly token: string;
  readonly slots: readonly Slot[];
}

export type Claim =
  | { readonly code: 'GRANTED' | Reopens }
  | { readonly code: 'FULL'; readonly freeAt: number; readonly full: readonly string[] }
  | { readonly code: 'SETTLING'; readonly ready: number };

export type Renewal =
  | { readonly code: 'RENEWED'; readonly now: number; readonly lost: readonly string[] }
  | { readonly code: Reopens };

/** The store is not what the broker takes it for, and has to be opened anew. */
export type Reopens = 'EPOCH' | 'CLOCK';

export interface ServerInfo {
  readonly run: string;
  readonly upMs: number;
  readonly promoted: boolean;
}

export function openCall(
  keys: Keys,
  server: ServerInfo,
  terms: { seen: string; ttlMs: number; freshMs: number; isClockSet: boolean },
): ScriptCall {
  const { run, upMs, promoted } = server;
  const { seen, ttlMs, freshMs, isClockSet } = terms;
  return {
    script: 'open',
    keys: [keys.epoch],
    args: [
      run,
      seen,
      `${upMs}`,
      promoted ? '1' : '0',
      `${ttlMs}`,
      `${freshMs}`,
      keys.wakeChannel,
      isClockSet ? '1' : '0',
    ],
  };
}

export function readOpen(answer: unknown): { now: number; ready: number } {
  const [, now, ready] = coded(answer, ['OPEN']);
  return { now: numeric(now), ready: numeric(ready) };
}

export function claimCall(
  keys: Keys,
  { lease, token, slots }: Claimed,
  terms: { run: string; broker: string; ttlMs: number; alreadyHeld: boolean; now: number },
): ScriptCall {
  const { run, broker, ttlMs, alreadyHeld, now } = terms;
  return {
    script: 'claim',
    keys: [
      keys.epoch,
      keys.tokens,
      ...slots.flatMap(({ member }) => [keys.holders(member), keys.waiters(member)]),
    ],
    args: [run, broker, lease, token, `${ttlMs}`, alreadyHeld ? '1' : '0', `${now}`, ...limitsOf(slots)],
  };
}

export function readClaim(answer: unknown, slots: readonly Slot[]): Claim {
  const [code, at, ...numbers] = coded(answer, ['GRANTED', 'FULL', 'SETTLING', 'EPOCH', 'CLOCK']);
  if (code === 'GRANTED' || code === 'EPOCH' || code === 'CLOCK') return { code };
  if (code === 'SETTLING') return { code, ready: numeric(at) };
  return { code, freeAt: numeric(at), full: numbers.map((number) => slots[numeric(number) - 1]!.member) };
}

/** Also for a place that is kept for a broker: its lease is then `keptFor(broker)`, its token empty. */
export function releaseCall(keys: Keys, { lease, token, slots }: Claimed, keepMs: number): ScriptCall {
  return {
    script: 'release',
    keys: [keys.tokens, ...slots.flatMap(({ member }) => [keys.holders(member), keys.waiters(member)])],
    args: [lease, token, `${keepMs}`, keys.wakeChannel, ...slots.map(({ member }) => member)],
  };
}

export function keptFor(broker: string): string {
  return `~${broker}`;
}

export function readRelease(answer: unknown): 'RELEASED' | 'STALE' {
  return coded(answer, ['RELEASED', 'STALE'])[0];
}

export function renewCall(
  keys: Keys,
  leases: readonly Claimed[],
  { run, ttlMs, now }: { run: string; ttlMs: number; now: number },
): ScriptCall {
  return {
    script: 'renew',
    keys: [
      keys.epoch,
      keys.tokens,
      ...leases.flatMap(({ slots }) => slots.map(({ member }) => keys.holders(member))),
    ],
    args: [
      run,
      `${ttlMs}`,
      `${now}`,
      ...leases.flatMap(({ lease, token, slots }) => [lease, token, `${slots.length}`, ...limitsOf(slots)]),
    ],
  };
}

export function readRenewal(answer: unknown): Renewal {
  const [code, now, ...lost] = coded(answer, ['RENEWED', 'EPOCH', 'CLOCK']);
  return code === 'RENEWED' ? { code, now: numeric(now), lost: lost.map(String) } : { code };
}

export function permitCall(keys: Keys, member: string, { atOnce, windowMs }: PaceWindow): ScriptCall {
  return { script: 'permit', keys: [keys.pace(member)], args: [`${atOnce}`, `${windowMs}`] };
}

export function readPermit(answer: unknown): number {
  return numeric(coded(answer, ['TURN'])[1]);
}

/** A span of time steps of one-time codes, by number. */
export interface StepSpan {
  readonly first: number;
  readonly last: number;
  /** How many steps before it are remembered. */
  readonly remembered: number;
}

export function stepCall(keys: Keys, secret: string, { first, last, remembered }: StepSpan): ScriptCall {
  return { script: 'step', keys: [keys.steps(secret)], args: [`${first}`, `${last}`, `${remembered}`] };
}

/** Null: all of the span were given. */
export function readStep(answer: unknown): number | null {
  const [code, step] = coded(answer, ['STEP', 'NONE']);
  return code === 'STEP' ? numeric(step) : null;
}

/** What a call asks of a budget that all machines share. */
export interface Draw extends BudgetSpec {
  readonly id: string;
  readonly tokens: number;
  /** When the day ends; Infinity: there is none. */
  readonly untilDate: number;
}

export function drawCall(keys: Keys, budget: string, draw: Draw): ScriptCall {
  const { id, tokens, tpm = 0, daily, untilDate } = draw;
  const end = Number.isFinite(untilDate) ? Math.ceil(untilDate) : 0;
  const limits = [tpm, daily?.calls ?? 0, daily?.tokens ?? 0, end, OPEN_MS];
  return {
    script: 'draw',
    keys: keys.budget(budget, end),
    args: [id, `${Math.ceil(tokens)}`, ...limits.map((limit) => `${limit}`)],
  };
}

export function readDraw(answer: unknown): { waitMs: number; isUsedUp: boolean } {
  const [code, waitMs] = coded(answer, ['DRAWN', 'WAIT', 'USED']);
  return { waitMs: numeric(waitMs), isUsedUp: code === 'USED' };
}

export function settleCall(
  keys: Keys,
  budget: string,
  { id, tokens, untilDate }: { id: string; tokens: number | null; untilDate: number },
): ScriptCall {
  const end = Number.isFinite(untilDate) ? Math.ceil(untilDate) : 0;
  return { script: 'settle', keys: keys.budget(budget, end), args: [id, tokens === null ? '' : `${tokens}`] };
}

export function readSettle(answer: unknown): void {
  coded(answer, ['SETTLED']);
}

export function factCall(keys: Keys, broker: string, fact: { member: string; json: string }): ScriptCall {
  return { script: 'fact', keys: [keys.facts], args: [fact.member, fact.json, broker, keys.factChannel] };
}

export function readFact(answer: unknown): 'STORED' | 'KEPT' {
  return coded(answer, ['STORED', 'KEPT'])[0];
}

function limitsOf(slots: readonly Slot[]): string[] {
  return slots.map(({ limit }) => `${limit}`);
}

function coded<Code extends string>(answer: unknown, codes: readonly Code[]): [Code, ...unknown[]] {
  const [first, ...rest] = Array.isArray(answer) ? (answer as unknown[]) : [];
  const code = codes.find((known) => known === first);
  if (code === undefined) throw new StoreUnusableError('it gave an answer that is none of ours');
  return [code, ...rest];
}

function numeric(value: unknown): number {
  if (typeof value !== 'number') throw new StoreUnusableError('it gave an answer that is none of ours');
  return value;
}
