import type { Socket } from 'node:net';
import { parseJson } from '../shared/json.ts';
import {
  type Greeted,
  type Greeting,
  isProof,
  newNonce,
  proofOf,
  readClientProof,
  readGreet,
} from '../wire/greeting.ts';
import { PROTOCOL_VERSION } from '../wire/lines.ts';
import type { BrokerSecret } from './secret.ts';

/** A client greets and says hello at once; a connection that does not in this time is none. */
const SILENT_MS = 30_000;

interface Stranger {
  /** The name that it connected by. */
  readonly project: string;
  /** The time that runs against it until its hello. */
  readonly timer: NodeJS.Timeout;
  greeted: Greeted | null;
  isProved: boolean;
}

/** Connections that are no clients yet: each must prove that it belongs here, soon and once, and keeps no broker from its end. */
export class Strangers {
  readonly #secret: Pick<BrokerSecret, 'text' | 'file'>;
  readonly #silentMs: number;
  readonly #open = new Map<Socket, Stranger>();

  constructor(secret: Pick<BrokerSecret, 'text' | 'file'>, silentMs: number = SILENT_MS) {
    this.#secret = secret;
    this.#silentMs = silentMs;
  }

  add(socket: Socket, project: string): void {
    const timer = setTimeout(() => socket.destroy(), this.#silentMs).unref();
    this.#open.set(socket, { project, timer, greeted: null, isProved: false });
    socket.once('close', () => this.accepted(socket));
  }

  has(socket: Socket): boolean {
    return this.#open.has(socket);
  }

  /** The answer to a first line; null where it is none that a client would send. */
  greet(socket: Socket, line: string): Greeting | null {
    const stranger = this.#open.get(socket);
    const greet = readGreet(parseJson(line));
    if (!stranger || !greet || stranger.greeted) return null;
    const { text, file } = this.#secret;
    const nonce = newNonce();
    stranger.greeted = { project: stranger.project, clientNonce: greet.nonce, brokerNonce: nonce };
    const proof = proofOf(text, 'broker', stranger.greeted);
    return { type: 'greeting', version: PROTOCOL_VERSION, pid: process.pid, secret: file, nonce, proof };
  }

  /** Whether it has been greeted: what it says next is its proof. */
  isGreeted(socket: Socket): boolean {
    return Boolean(this.#open.get(socket)?.greeted);
  }

  /** Reads its proof; false where it is none. */
  prove(socket: Socket, line: string): boolean {
    const stranger = this.#open.get(socket);
    const given = readClientProof(parseJson(line));
    if (!stranger?.greeted || !given) return false;
    stranger.isProved = isProof(given.proof, this.#secret.text, 'client', stranger.greeted);
    return stranger.isProved;
  }

  /** Whether it belongs here: what it says next is its hello, which may be long. */
  isProved(socket: Socket): boolean {
    return this.#open.get(socket)?.isProved === true;
  }

  /** Its hello has come, or it is gone: no time runs against it any more. */
  accepted(socket: Socket): void {
    clearTimeout(this.#open.get(socket)?.timer);
    this.#open.delete(socket);
  }

  close(): void {
    for (const socket of this.#open.keys()) socket.destroy();
  }
}
