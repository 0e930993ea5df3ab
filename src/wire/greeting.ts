import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { isObject, parseJson } from '../shared/json.ts';
import { PROTOCOL_VERSION } from './lines.ts';

/*
 * Before anything else is said, each side proves that it belongs to the same user and project. A client sends a nonce; the
 * broker answers with a nonce of its own, the file of its secret, which only their user can read, and a proof; the client
 * answers with its proof. Then comes its hello, which may be long. Nothing but the right project's socket, held by a process of the same user, can prove that.
 */

const NONCE_BYTES = 16;
const SECRET_BYTES = 32;

type Side = 'broker' | 'client';

/** The first line of a client. */
export interface Greet {
  readonly type: 'greet';
  readonly version: number;
  readonly nonce: string;
}

/** The broker's answer. */
export interface Greeting {
  readonly type: 'greeting';
  readonly version: number;
  readonly pid: number;
  /** The file that holds the secret. */
  readonly secret: string;
  readonly nonce: string;
  readonly proof: string;
}

/** What the proofs of one connection are about. */
export interface Greeted {
  /** The project as client and broker name it. */
  readonly project: string;
  readonly clientNonce: string;
  readonly brokerNonce: string;
}

/** The client's answer to the greeting. */
export interface ClientProof {
  readonly type: 'proof';
  readonly proof: string;
}

export function newGreet(): Greet {
  return { type: 'greet', version: PROTOCOL_VERSION, nonce: newNonce() };
}

export function newNonce(): string {
  return randomBytes(NONCE_BYTES).toString('hex');
}

export function newSecret(): string {
  return randomBytes(SECRET_BYTES).toString('hex');
}

/** A client's first line; null for anything else. */
export function readGreet(value: unknown): Greet | null {
  if (!isObject(value) || value['type'] !== 'greet') return null;
  const { version, nonce } = value;
  return typeof version === 'number' && isNonce(nonce) ? { type: 'greet', version, nonce } : null;
}

/** The broker's answer; null for anything else. */
export function readGreeting(value: unknown): Greeting | null {
  if (!isObject(value) || value['type'] !== 'greeting') return null;
  const { version, pid, secret, nonce, proof } = value;
  if (typeof version !== 'number' || typeof pid !== 'number' || !isNonce(nonce)) return null;
  if (typeof secret !== 'string' || typeof proof !== 'string') return null;
  return { type: 'greeting', version, pid, secret, nonce, proof };
}

/** The client's answer to the greeting; null for anything else. */
export function readClientProof(value: unknown): ClientProof | null {
  if (!isObject(value) || value['type'] !== 'proof') return null;
  const { proof } = value;
  return typeof proof === 'string' ? { type: 'proof', proof } : null;
}

/** What the file of a broker's secret holds: who it is, too, so that one that hangs can be ended. */
export interface BrokerIdentity {
  readonly secret: string;
  readonly pid: number;
  /** When its process started, as the system counts; empty where that is not known. */
  readonly start: string;
}

export function readIdentity(text: string | null): BrokerIdentity | null {
  const value = parseJson(text ?? '');
  if (!isObject(value)) return null;
  const { secret, pid, start } = value;
  if (typeof secret !== 'string' || typeof pid !== 'number' || typeof start !== 'string') return null;
  return { secret, pid, start };
}

export function proofOf(secret: string, side: Side, { project, clientNonce, brokerNonce }: Greeted): string {
  const text = JSON.stringify([side, project, clientNonce, brokerNonce]);
  return createHmac('sha256', secret).update(text).digest('hex');
}

export function isProof(given: string, secret: string, side: Side, greeted: Greeted): boolean {
  const expected = proofOf(secret, side, greeted);
  return given.length === expected.length && timingSafeEqual(Buffer.from(given), Buffer.from(expected));
}

function isNonce(value: unknown): value is string {
  return typeof value === 'string' && /^[0-9a-f]{32}$/.test(value);
}
