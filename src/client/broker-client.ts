import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import type { Answer, BrokerMessage, ConfigUpdate, ClientMessage, ProbeRequest } from '../wire/messages.ts';
import { monotonic } from '../core/clock.ts';
import { withoutCode, type GembaError } from '../core/errors.ts';
import type { PoolSpec, HealthSnapshot, ResetReason, StrategyOutcome } from '../core/types.ts';
import { parseJson } from '../shared/json.ts';
import { sleep } from '../shared/sleep.ts';
import type { BrokerIdentity } from '../wire/greeting.ts';
import { splitLines, toLine } from '../wire/lines.ts';
import { storeIdOf } from './address.ts';
import { foreign, inTime, invalid, REACH_MS, rejected, silent, unanswered, unreachable } from './failures.ts';
import { type GreetedBroker, greet } from './greet.ts';
import { HeldLeases } from './held-leases.ts';
import { type BrokerSocket, type Machine, type Presence, thisMachine } from './machine.ts';
import { Outbox } from './outbox.ts';
import { PulseWatch } from './pulse-watch.ts';
import type {
  RequestMessage,
  HelloMessage,
  BrokerClientOptions,
  Pending,
  Question,
  Unasked,
} from './types.ts';

export type { BrokerClientOptions, Question } from './types.ts';
export type { StrategyOutcome } from '../core/types.ts';
export type { Answer, WireGrant, ProbeRequest, StrategyEstimate } from '../wire/messages.ts';

const RETRY_MS = 10;
/** A broker that was started but does not answer within this time is started once more. */
const START_AGAIN_MS = 1_500;
/** Where no broker could be reached, a process that holds leases tries again after this. */
const COME_BACK_MS = 250;
/** Together with the wait that was asked for, the longest that anything waits for a lease. */
const LATE_MS = 9_000;

/** What came of one look for a broker. */
type Found = 'welcome' | 'nothing' | 'ending' | 'foreign' | 'silent';

/**
 * A process's connection to the broker of its project: starts it where none runs, comes back when it was lost, and tells a
 * new one what this process holds before it asks for more.
 *
 * - `ask` registers a question; it is written now, or when a broker has sent its welcome, once more after each loss.
 * - `#reach` finds a broker, or starts one; both sides prove whose they are (greet.ts) before the hello says what is held.
 * - While something is asked, a broker that says nothing for ten seconds is ended and replaced (pulse-watch.ts).
 * - A process that may hold leases is seen to live (machine.ts, `appear`), so that nobody gets them while it stands still.
 */
export class BrokerClient {
  readonly id: string = randomUUID();
  readonly #options: BrokerClientOptions;
  readonly #machine: Machine;
  readonly #pending = new Map<number, Pending>();
  readonly #heldLeases = new HeldLeases();
  readonly #outbox = new Outbox();
  readonly #pulse: PulseWatch;
  #socket: Socket | null = null;
  /** Who the broker is, of the connection in use or in the making. */
  #broker: BrokerIdentity | null = null;
  #presence: Presence | null = null;
  #connecting: Promise<void> | null = null;
  #lastAsk = 0;
  #closed = false;
  /** Its broker was lost, and no other one has come. */
  #isLost = false;
  #mayStart: boolean;
  /** What was not healthy when this client connected last. */
  healthSnapshots: readonly HealthSnapshot[] = [];
  /** Others of its run are or were at this broker. */
  isKnownRun = false;
  /** What is to be put right about the shared store. */
  notices: readonly string[] = [];

  constructor(options: BrokerClientOptions) {
    this.#options = options;
    this.#machine = options.machine ?? thisMachine;
    this.#mayStart = options.mayStart ?? true;
    this.#pulse = new PulseWatch({
      isWaiting: () => this.#pending.size > 0 || this.#connecting !== null,
      ping: (socket) => void socket.write(toLine({ type: 'ping' }), 'latin1'),
      onTick: () => this.#expire(),
      onSilent: (socket) => this.#replace(socket),
    });
  }

  /** Asks the broker; survives its loss. Rejects where no broker can be reached, or none answers in time. */
  ask(question: Unasked<Question>): Promise<Answer> {
    this.#mayStart = true;
    return new Promise((resolve, reject) => {
      const ask = ++this.#lastAsk;
      if (this.#pending.size === 0) this.#socket?.ref();
      this.#pending.set(ask, { question, since: monotonic(), resolve, reject });
      this.#pulse.start();
      if (this.#socket) this.#outbox.write(toLine({ ask }, question));
      else this.#connect().catch((error: unknown) => this.#fail(error));
    });
  }

  /** Connects now; false where no broker runs and this client starts none. */
  async open(): Promise<boolean> {
    await this.#connect();
    return this.#socket !== null;
  }

  /**
   * Reports a request. Needs no answer; lost where the broker is lost at that moment. One that succeeded at a member that
   * goes freely changes nothing for those that wait: it goes with the next message, and wakes no broker by itself.
   */
  report(request: RequestMessage): void {
    const isNews = request.outcome.kind !== 'ok' || !this.#heldLeases.isFastPath(request.lease);
    this.#outbox.write(toLine({ type: 'request' }, request), isNews);
  }

  /** What a request used of its key's budget; null: as much as was expected. */
  spent(lease: string, id: string, tokens: number | null): void {
    this.#outbox.write(toLine({ type: 'spent' }, { lease, id, tokens }), true);
  }

  /** Reports what a picked strategy came to. Lost where the broker is lost at that moment. */
  record(round: string, outcome: StrategyOutcome | null): void {
    this.#send({ type: 'record', round, outcome });
  }

  /**
   * Does something that one client of the project does at a time. Rejects where the lock is not free within `timeoutMs`; one
   * whose broker was lost does not exclude those that ask the next one.
   */
  async locked<T>(topic: string, timeoutMs: number, work: () => Promise<T>): Promise<T> {
    const lock = randomUUID();
    try {
      const asking = this.ask({ type: 'lock', lock, topic, timeoutMs });
      asking.catch(() => {});
      await inTime(asking, timeoutMs);
      return await work();
    } finally {
      this.#send({ type: 'unlock', lock });
    }
  }

  /** Sends what needs no answer. Lost where the broker is lost at that moment. */
  tell(message: Extract<ClientMessage, { type: 'attempt-passed' }>): void {
    this.#send(message);
  }

  /** Why nothing may use that lease any more; undefined while it is held. */
  lossOf(lease: string): string | undefined {
    return this.#heldLeases.lossOf(lease);
  }

  /** No other machine can have the lease's member now. Where it is false, `prove` asks. */
  isProved(lease: string): boolean {
    return this.#heldLeases.isProved(lease);
  }

  /**
   * For a child process to inherit: what this client holds stays held as long as the child lives, though this process may be
   * killed. Null where the system hands none on.
   */
  async presenceDescriptor(): Promise<number | null> {
    return (await this.#presence?.descriptor()) ?? null;
  }

  /** `dirty`: how its account was left, where it has to be reset before its next use. */
  release(lease: string, failed: boolean, dirty: ResetReason | null = null): void {
    this.#heldLeases.forget(lease);
    this.#send({ type: 'release', lease, failed, ...(dirty && { dirty }) });
  }

  close(): void {
    this.#closed = true;
    if (this.#isLost) this.#tellBrokerErrors();
    this.#outbox.flush();
    this.#socket?.end();
    this.#socket = null;
    this.#pulse.stop();
    this.#disappear();
  }

  #send(message: ClientMessage): void {
    this.#outbox.write(toLine(message));
  }

  #connect(): Promise<void> {
    if (this.#socket) return Promise.resolve();
    this.#connecting ??= this.#reach().finally(() => {
      this.#connecting = null;
      // Nobody is to wait for one that does not come back by itself.
      if (!this.#socket && this.#heldLeases.isEmpty) this.#disappear();
    });
    return this.#connecting;
  }

  async #reach(): Promise<void> {
    const { address, seed } = this.#options;
    const [project = ''] = address.projects;
    const began = monotonic();
    let giveUpAt = began + REACH_MS;
    let startedAt = -Infinity;
    let start: { close: () => void } | null = null;
    try {
      for (;;) {
        const soughtAt = monotonic();
        const found = await this.#find();
        if (found === 'welcome') return this.#tellBrokerErrors();
        // A broker lived, and was given time to answer.
        if (monotonic() - soughtAt > START_AGAIN_MS) giveUpAt = monotonic() + REACH_MS;
        if (found === 'silent') {
          if (!this.#broker || !this.#machine.kill(this.#broker)) throw silent(this.#broker?.pid ?? null);
        }
        if (!this.#mayStart) return;
        if (this.#closed) throw unreachable('this process has closed its connection');
        if (monotonic() > giveUpAt) throw found === 'foreign' ? foreign(project) : this.#unreachable(project);
        if (found === 'nothing' && monotonic() - startedAt > START_AGAIN_MS) {
          start ??= await this.#machine.takeStart(project);
          if (start || monotonic() - began > START_AGAIN_MS) {
            this.#machine.startBroker(address, seed);
            startedAt = monotonic();
          }
        }
        await sleep(RETRY_MS);
      }
    } finally {
      start?.close();
    }
  }

  /** One before it may have ended by a defect. */
  #tellBrokerErrors(): void {
    this.#isLost = false;
    for (const errors of this.#machine.takeBrokerErrors(this.#options.address.projects))
      this.#options.onBrokerErrors?.(errors);
  }

  #unreachable(project: string): GembaError {
    const last = this.#machine.takeBrokerErrors(this.#options.address.projects).at(-1);
    return unreachable(`nothing answers for ${project}`, last?.text);
  }

  /** Looks for a broker under each of the project's names. */
  async #find(): Promise<Found> {
    for (const project of this.#options.address.projects) {
      const connection = await this.#machine.connect(project);
      if (!connection) continue;
      this.#broker = null;
      const greeted = await greet(connection, project, this.#machine);
      if (greeted.is === 'greeted') return this.#join(connection, greeted);
      connection.socket.destroy();
      if (greeted.is === 'silent') this.#broker = this.#machine.findIdentity(project);
      return greeted.is === 'gone' ? 'ending' : greeted.is;
    }
    return 'nothing';
  }

  /** Says hello with what is held and asks again what is open. */
  #join(connection: BrokerSocket, { broker, proof }: GreetedBroker): Promise<Found> {
    const { socket } = connection;
    this.#broker = broker;
    return new Promise((resolve, reject) => {
      const onMessage = (message: BrokerMessage): void => {
        if (message.type === 'rejected') return reject(rejected(message));
        if (message.type !== 'welcome') return this.#hear(message);
        // Not before: a broker that is started takes those that are seen for holders of a time before it.
        if (this.#mayHold) this.#presence ??= this.#machine.appear(this.#options.address.projects, this.id);
        this.#socket = socket;
        this.#outbox.open(socket);
        if (this.#closed) {
          this.close();
          return resolve('ending');
        }
        this.healthSnapshots = message.healthSnapshots;
        this.isKnownRun = message.isKnownRun;
        this.notices = message.notices;
        this.#follow(message.config);
        for (const [ask, pending] of this.#pending) this.#outbox.write(toLine({ ask }, askedAgain(pending)));
        // A process must be able to end while it is connected, but not while it waits for an answer.
        if (this.#pending.size === 0) socket.unref();
        resolve('welcome');
      };
      const read = splitLines(
        (line) => {
          const message = parseJson(line);
          if (message === undefined) socket.destroy();
          else onMessage(message as BrokerMessage);
        },
        () => socket.destroy(),
      );
      connection.onText = (text) => {
        this.#pulse.heard();
        read(text);
      };
      socket.once('close', () => {
        this.#pulse.leave(socket);
        if (this.#socket !== socket) this.#outbox.abandon();
        resolve('ending');
        this.#lost(socket);
      });
      this.#pulse.follow(socket);
      this.#outbox.hold();
      socket.write(`${toLine(proof)}${toLine(this.#hello())}`, 'latin1');
    });
  }

  #hello(): ClientMessage {
    const { address, follower } = this.#options;
    return {
      type: 'hello',
      client: this.id,
      pid: process.pid,
      projects: [...address.projects],
      store: storeIdOf(address),
      isPresent: this.#mayHold,
      pools: this.#pools() as HelloMessage['pools'],
      ...(follower && {
        follows: {
          role: follower.role,
          run: follower.run,
          revision: follower.current?.revision ?? null,
          files: [...(follower.current?.files ?? [])],
        },
      }),
      probes: this.#options.onProbe !== undefined,
      held: this.#heldLeases.toRestore(this.#pending.values()),
    };
  }

  #pools(): readonly PoolSpec[] {
    const { follower, pools } = this.#options;
    return (follower ? follower.current?.specs : pools) ?? [];
  }

  /** Applies the current configuration and reports its problems in this environment; offers its own if the broker has none. */
  #follow(news: ConfigUpdate | null): void {
    const { follower } = this.#options;
    if (!follower) return;
    const before = follower.current;
    if (!news) {
      if (before) this.#send({ type: 'offer', revision: before.revision, layers: [...before.layers] });
      return;
    }
    follower.apply(news.state, news.layers);
    const { current } = follower;
    if (!current || current === before) return;
    const { revision, problems, files } = current;
    const pools = this.#pools() as HelloMessage['pools'];
    this.#send({ type: 'pools', revision, pools, problems: [...problems], files: [...files] });
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
    else if (message.type === 'moved')
      this.#heldLeases.change(message.lease, { provedUntil: undefined, ...message.grant });
    else if (message.type === 'proved') this.#heldLeases.proved(message.leases, message.until);
    else if (message.type === 'lost') this.#lose(message.lease, message.why);
    else if (message.type === 'answer') this.#answered(message.ask, message.answer);
  }

  #lose(lease: string, why: string): void {
    this.#heldLeases.lose(lease, why);
    this.#options.onLost?.(lease);
  }

  #answered(ask: number, answer: Answer): void {
    const pending = this.#pending.get(ask);
    if (!pending) return;
    this.#settle(ask);
    if (answer.is === 'invalid') return pending.reject(invalid(pending.question.type, answer.why));
    this.#heldLeases.answered(pending, answer);
    if (answer.is === 'lost' && 'lease' in pending.question) this.#options.onLost?.(pending.question.lease);
    pending.resolve(answer);
  }

  #settle(ask: number): void {
    this.#pending.delete(ask);
    if (this.#pending.size === 0) this.#socket?.unref();
  }

  /** Ends waits that the broker should have ended long ago, whatever is wrong there. */
  #expire(): void {
    for (const [ask, { question, since, reject }] of this.#pending) {
      if (question.type !== 'acquire' && question.type !== 'lock') continue;
      const longest = question.timeoutMs + LATE_MS;
      if (monotonic() - since < longest) continue;
      this.#settle(ask);
      if (question.type === 'acquire') this.release(question.lease, false);
      reject(unanswered(question.type, longest / 1_000));
    }
  }

  /** The broker lives and does not answer: a new one takes its place where that can be, without harm to any lease. */
  #replace(socket: Socket): void {
    if (this.#broker && this.#machine.kill(this.#broker)) return void socket.destroy();
    this.#fail(silent(this.#broker?.pid ?? null));
  }

  /** The broker does not understand this client: asking again would not help. */
  #giveUp(error: GembaError): void {
    this.#heldLeases.loseAll(withoutCode(error.message));
    this.#fail(error);
    this.close();
  }

  #fail(error: unknown): void {
    for (const [ask, { reject }] of this.#pending) {
      this.#settle(ask);
      reject(error);
    }
  }

  #lost(socket: Socket): void {
    if (this.#socket !== socket) return;
    this.#socket = null;
    if (this.#closed) return;
    this.#isLost = true;
    if (this.#heldLeases.isEmpty && this.#pending.size === 0 && !this.#options.follower) this.#disappear();
    else this.#comeBack();
  }

  /** The broker waits for clients that are alive, so this one reconnects as long as it holds something. */
  #comeBack(): void {
    this.#connect().catch(async (error: unknown) => {
      this.#fail(error);
      if (this.#heldLeases.isEmpty) return;
      await sleep(COME_BACK_MS, { isNeeded: false });
      if (!this.#closed) this.#comeBack();
    });
  }

  get #mayHold(): boolean {
    const { follower } = this.#options;
    return follower === undefined || follower.role === 'worker';
  }

  #disappear(): void {
    this.#presence?.close();
    this.#presence = null;
  }
}

/** A wait keeps its place and its time, whichever broker it began at. */
function askedAgain({ question, since }: Pending): Unasked<Question> {
  if (question.type !== 'acquire') return question;
  return { ...question, waitedMs: Math.round(monotonic() - since) };
}
