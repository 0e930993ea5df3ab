import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Answer, BrokerMessage, ConfigUpdate, ClientMessage, ProbeRequest } from '../wire/messages.ts';
import { monotonic } from '../core/clock.ts';
import type { GembaError } from '../core/errors.ts';
import type { PoolSpec, HealthSnapshot, StrategyOutcome } from '../core/types.ts';
import { parseJson } from '../shared/json.ts';
import { PROTOCOL_VERSION, splitLines, toLine } from '../wire/lines.ts';
import { REACH_MS, rejected, unreachable } from './failures.ts';
import { HeldLeases } from './held-leases.ts';
import { Outbox } from './outbox.ts';
import { type BrokerSocket, startBroker, tryConnect } from './start.ts';
import type {
  RequestMessage,
  HeldLeaseInfo,
  HelloMessage,
  BrokerClientOptions,
  Pending,
  Question,
  Unasked,
} from './types.ts';

export type { BrokerClientOptions, Question } from './types.ts';
export type { StrategyOutcome } from '../core/types.ts';
export type { Answer, WireGrant, ProbeRequest, StrategyEstimate } from '../wire/messages.ts';

const RETRY_MS = 5;
/** A broker that was started but does not answer within this time is started once more. */
const START_AGAIN_MS = 1_500;

/**
 * A worker's connection to the broker of its project: starts it where none runs, comes back when it was lost, and
 * tells a new one what this worker holds before it asks for more.
 */
export class BrokerClient {
  readonly id: string = randomUUID();
  readonly #options: BrokerClientOptions;
  readonly #pending = new Map<number, Pending>();
  readonly #heldLeases = new HeldLeases();
  readonly #outbox = new Outbox();
  #socket: Socket | null = null;
  #connecting: Promise<void> | null = null;
  #lastAsk = 0;
  #closed = false;
  #mayStart: boolean;
  /** What was not healthy when this link connected last. */
  healthSnapshots: readonly HealthSnapshot[] = [];
  /** Others of its run are or were at this broker. */
  isKnownRun = false;
  /** What is to be put right about the shared store. */
  notices: readonly string[] = [];

  constructor(options: BrokerClientOptions) {
    this.#options = options;
    this.#mayStart = options.mayStart ?? true;
  }

  /** Asks the broker; survives its loss. Rejects only where no broker can be reached. */
  ask(question: Unasked<Question>): Promise<Answer> {
    this.#mayStart = true;
    return this.#socket ? this.#askNow(question) : this.#connect().then(() => this.#askNow(question));
  }

  #askNow(question: Unasked<Question>): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const ask = ++this.#lastAsk;
      if (this.#pending.size === 0) this.#socket?.ref();
      this.#pending.set(ask, { question, since: monotonic(), resolve, reject });
      this.#outbox.write(toLine({ ask }, question));
    });
  }

  /** Connects now; false where no broker runs and this link starts none. */
  async open(): Promise<boolean> {
    await this.#connect();
    return this.#socket !== null;
  }

  /**
   * Tells the broker of an attempt. Needs no answer; lost where the broker is lost at that moment. One that went well at a
   * member that goes freely is no news to anybody who waits: it goes with what is told next, and wakes no broker by itself.
   */
  report(request: RequestMessage): void {
    const isNews = request.outcome.kind !== 'ok' || !this.#heldLeases.isFastPath(request.lease);
    this.#outbox.write(toLine({ type: 'request' }, request), isNews);
  }

  /** Tells what a picked strategy came to. Lost where the broker is lost at that moment. */
  record(round: string, outcome: StrategyOutcome | null): void {
    this.#send({ type: 'record', round, outcome });
  }

  /** Remembers whose a granted lease is, so that a new broker can be told. */
  keep(lease: HeldLeaseInfo): void {
    this.#heldLeases.keep(lease);
  }

  release(lease: string, failed: boolean): void {
    this.#heldLeases.forget(lease);
    this.#send({ type: 'release', lease, failed });
  }

  close(): void {
    this.#closed = true;
    this.#outbox.flush();
    this.#socket?.end();
    this.#socket = null;
  }

  #send(message: ClientMessage): void {
    this.#outbox.write(toLine(message));
  }

  #connect(): Promise<void> {
    if (this.#socket) return Promise.resolve();
    this.#connecting ??= this.#reach().finally(() => {
      this.#connecting = null;
    });
    return this.#connecting;
  }

  async #reach(): Promise<void> {
    const began = monotonic();
    let startedAt = -Infinity;
    for (;;) {
      const connection = await tryConnect(this.#options.address.socketPath);
      if (connection && (await this.#greet(connection))) return;
      if (!this.#mayStart) return;
      if (this.#closed) throw unreachable('the link was closed');
      if (monotonic() - began > REACH_MS)
        throw unreachable(`nothing answers at ${this.#options.address.socketPath}`);
      if (monotonic() - startedAt > START_AGAIN_MS) {
        startBroker(this.#options.address, this.#options.seed);
        startedAt = monotonic();
      }
      await sleep(RETRY_MS);
    }
  }

  /** Says hello with what is held and asks again what is open; false where the broker is ending just now. */
  #greet(connection: BrokerSocket): Promise<boolean> {
    const { socket } = connection;
    return new Promise((resolve, reject) => {
      const onMessage = (message: BrokerMessage): void => {
        if (message.type === 'rejected') return reject(rejected(message));
        if (message.type !== 'welcome') return this.#hear(message);
        this.#socket = socket;
        this.#outbox.open(socket);
        if (this.#closed) {
          this.close();
          return resolve(false);
        }
        this.healthSnapshots = message.healthSnapshots;
        this.isKnownRun = message.isKnownRun;
        this.notices = message.notices;
        this.#follow(message.config);
        for (const [ask, pending] of this.#pending) this.#outbox.write(toLine({ ask }, askedAgain(pending)));
        // A process must be able to end while it is connected, but not while it waits for an answer.
        if (this.#pending.size === 0) socket.unref();
        resolve(true);
      };
      connection.onText = splitLines(
        (line) => {
          const message = parseJson(line);
          if (message === undefined) socket.destroy();
          else onMessage(message as BrokerMessage);
        },
        () => socket.destroy(),
      );
      socket.once('close', () => {
        if (this.#socket !== socket) this.#outbox.abandon();
        resolve(false);
        this.#lost(socket);
      });
      this.#outbox.hold();
      socket.write(toLine(this.#hello()), 'latin1');
    });
  }

  #hello(): ClientMessage {
    const { follower } = this.#options;
    return {
      type: 'hello',
      version: PROTOCOL_VERSION,
      client: this.id,
      pid: process.pid,
      pools: this.#pools() as HelloMessage['pools'],
      ...(follower && {
        follows: { role: follower.role, run: follower.run, revision: follower.current?.revision ?? null },
      }),
      probes: this.#options.onProbe !== undefined,
      held: this.#heldLeases.toRestore(this.#pending.values()),
    };
  }

  #pools(): readonly PoolSpec[] {
    const { follower, pools } = this.#options;
    return (follower ? follower.current?.specs : pools) ?? [];
  }

  /** Takes over the configuration in force and tells what this environment makes of it; offers its own where there is none. */
  #follow(news: ConfigUpdate | null): void {
    const { follower } = this.#options;
    if (!follower) return;
    const before = follower.current;
    if (!news) {
      if (before) this.#send({ type: 'offer', revision: before.revision, text: before.text });
      return;
    }
    follower.apply(news.state, news.text);
    const { current } = follower;
    if (!current || current === before) return;
    const { revision, problems } = current;
    const pools = this.#pools() as HelloMessage['pools'];
    this.#send({ type: 'pools', revision, pools, problems: [...problems] });
  }

  async #probe(request: ProbeRequest): Promise<void> {
    const result = await this.#options.onProbe?.(request);
    const { pool, probe } = request;
    if (result) this.#send({ type: 'probed', pool, probe, ...result });
  }

  #hear(message: BrokerMessage): void {
    if (message.type === 'rejected') this.#giveUp(rejected(message));
    else if (message.type === 'transition') this.#options.onTransition?.(message.transition);
    else if (message.type === 'config') this.#follow(message.config);
    else if (message.type === 'say') this.#options.follower?.say(message.about, message.problems);
    else if (message.type === 'router-estimates') this.#options.onRouterEstimates?.(message.routerEstimates);
    else if (message.type === 'probe') this.#probe(message).catch(() => {});
    else if (message.type === 'fast-path-ended') this.#heldLeases.change(message.lease, { fastPath: false });
    else if (message.type === 'moved') this.#heldLeases.change(message.lease, message.grant);
    else if (message.type === 'lost') this.#options.onLost?.(message.lease);
    else if (message.type === 'answer') this.#answered(message.ask, message.answer);
  }

  #answered(ask: number, answer: Answer): void {
    const pending = this.#pending.get(ask);
    if (!pending) return;
    this.#pending.delete(ask);
    this.#heldLeases.answered(pending, answer);
    pending.resolve(answer);
    if (this.#pending.size === 0) this.#socket?.unref();
  }

  /** The broker does not understand this link: asking again would not help. */
  #giveUp(error: GembaError): void {
    for (const { reject } of this.#pending.values()) reject(error);
    this.#pending.clear();
    this.close();
  }

  #lost(socket: Socket): void {
    if (this.#socket !== socket) return;
    this.#socket = null;
    if (this.#closed || (this.#heldLeases.isEmpty && this.#pending.size === 0 && !this.#options.follower))
      return;
    this.#connect().catch((error: unknown) => {
      for (const { reject } of this.#pending.values()) reject(error);
      this.#pending.clear();
    });
  }
}

/** A wait keeps its place and its time, whichever broker it began at. */
function askedAgain({ question, since }: Pending): Unasked<Question> {
  if (question.type !== 'acquire') return question;
  return { ...question, waitedMs: Math.round(monotonic() - since) };
}
