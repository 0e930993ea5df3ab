import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import { applyAccountEvent } from '../core/health/accounts.ts';
import { administer, healthSnapshotsOf, type PoolStatus, statusOf } from '../core/admin.ts';
import type { Clock, Random } from '../core/clock.ts';
import { retryInPlace } from '../core/pool.ts';
import { endedBy, noteFailure, type Reruns } from '../core/blame/test-retries.ts';
import type { Context, PoolState } from '../core/state.ts';
import type { OutcomeKind, PoolSpec } from '../core/types.ts';
import type { SharedStore } from '../redis/types.ts';
import type { PoolRouting } from '../router/routing.ts';
import { UNKNOWN_LEASE } from '../core/effects.ts';
import { isObject, parseJson } from '../shared/json.ts';
import type { PresentClient } from '../shared/local-sockets.ts';
import { MAX_LINE, MAX_STRANGERS_LINE, splitLines, toLine } from '../wire/lines.ts';
import { Absent } from './absent.ts';
import { contextsOf } from './context.ts';
import { applyLeaseMessage } from './apply-message.ts';
import { ESTIMATES_EVERY_MS, routerEstimatesOf } from './estimates.ts';
import { Locks } from './locks.ts';
import { type Board, boardOf, machineName, Machines } from './machines.ts';
import type { ConfigStore } from './config-store.ts';
import type { Presences } from './presences.ts';
import type { BrokerSecret } from './secret.ts';
import { Strangers } from './strangers.ts';
import { type TimeSteps } from './time-steps.ts';
import { TransitionLog } from './transition-log.ts';
import { isForeign } from './ownership.ts';
import { answer, type Connection, Connections, newConnection, send } from './connections.ts';
import { Pools } from './pools.ts';
import { Probers } from './probers.ts';
import { describeIssue } from '../wire/schema.ts';
import { type BrokerMessage, type ClientMessage, readClientMessage } from '../wire/messages.ts';
import { Revisions } from './revisions.ts';
import { RunViews } from './run-views.ts';
import type { SharedStoreAdapter } from './shared-store.ts';
import type { Tasks } from './tasks.ts';

export interface BrokerPorts {
  /** The present time, which never jumps. */
  readonly now: Clock;
  /** The date of a time of `now`, for people, files and other machines. */
  readonly dateOf: (at: number) => number;
  /** Calls before that are not known. */
  readonly callsKnownFrom: number;
  readonly random: Random;
  readonly routing: PoolRouting;
  readonly pools: Map<string, PoolState>;
  readonly tasks: Tasks;
  /** Of one-time codes, where no store is shared. */
  readonly timeSteps: TimeSteps;
  readonly secret: Pick<BrokerSecret, 'text' | 'file'>;
  readonly presences: Presences;
  /** Clients that may hold leases of a broker before this one; `unknown` where there may be some, and nobody knows which. */
  readonly unheard: readonly PresentClient[] | 'unknown';
  /** Where a client of that name is seen to live. */
  readonly presenceOf: (projects: readonly string[], client: string, pid: number) => string;
  /** Takes further names of the project; false where another broker has one of them. */
  readonly takeNames: (projects: readonly string[]) => Promise<boolean>;
  /** The store that this broker was started with. */
  readonly storeId: string;
  /** A client came with another store, and nobody needs this one: the broker for that store takes its place. */
  readonly onOutdated: () => void;
  /** Called when the number of clients changed. */
  readonly onClients: (count: number) => void;
  /** Called when a member's health changed. */
  readonly onChange: () => void;
  /** What machines share, once it is open; the reason where it could not be opened; null without one. */
  readonly store: Promise<SharedStore | string | null>;
  /** The configuration that clients follow; null where its file is not known. */
  readonly configStore: ConfigStore | null;
}

/** Clients that live have found a new broker within this time. */
const RETURN_MS = 2_000;
/** The longest span of time steps that is looked through. */
const MAX_STEPS = 1_000;

type Message<T extends ClientMessage['type']> = Extract<ClientMessage, { type: T }>;

/** The broker: sockets on one side, the pools on the other. */
export class Broker {
  readonly #ports: BrokerPorts;
  readonly #id = randomUUID();
  readonly #connections = new Connections();
  readonly #strangers: Strangers;
  readonly #absent: Absent;
  readonly #pools: Pools;
  readonly #transitionLog: TransitionLog;
  readonly #revisions: Revisions;
  readonly #context: () => Context;
  readonly #estimatesSentAt = new WeakMap<Connection, number>();
  readonly #reruns: Reruns = new Map();
  /** What was printed once in its run. */
  readonly #notices = new Set<string>();
  readonly #runViews = new RunViews();
  readonly #locks = new Locks((client, ask) => this.#connections.send(client, lockedAnswer(ask)));
  /** Messages held back until a configuration is in force. */
  #heldBack: (() => void)[] = [];
  #closed = false;
  /** What other machines hold, where some share the store. */
  #machines: Machines | null = null;

  constructor(ports: BrokerPorts) {
    this.#ports = ports;
    this.#context = contextsOf(ports);
    this.#strangers = new Strangers(ports.secret);
    this.#absent = new Absent(ports.presences, () => this.#goOn());
    this.#revisions = new Revisions(this.#id, this.#connections, ports.configStore);
    this.#transitionLog = new TransitionLog(this.#id, this.#connections, ports);
    this.#pools = new Pools({
      now: ports.now,
      context: this.#context,
      states: ports.pools,
      connections: this.#connections,
      probers: new Probers(this.#connections),
      transitionLog: this.#transitionLog,
      revision: () => this.#revisions.inForce,
      awaits: () => this.#absent.awaits,
      onChange: ports.onChange,
    });
    if (ports.unheard === 'unknown') this.#absent.awaitUnknown(RETURN_MS);
    else this.#absent.await(ports.unheard);
    this.#pools.awaitsChanged();
  }

  /** How many have a connection, or live and may come back to what they hold. */
  get clients(): number {
    return this.#connections.count + this.#absent.count;
  }

  get sharedStore(): SharedStoreAdapter | null {
    return this.#pools.sharedStore;
  }

  /** Another revision is in force, or an edit was refused. */
  configChanged(): void {
    for (const pool of this.#pools.all) pool.revision = this.#revisions.inForce;
    this.#revisions.emitChanges();
    this.#goOn();
  }

  /** Whether a run may still ask for what is known here alone; what is known of ended runs is forgotten. */
  isAwaited(isAlive: (pid: number) => boolean): boolean {
    for (const run of this.#reruns.keys()) if (!isAlive(run)) this.#reruns.delete(run);
    return this.#reruns.size > 0;
  }

  /** A process connects, by that name of the project. */
  accept(socket: Socket, project: string): void {
    const connection = newConnection(socket);
    this.#strangers.add(socket, project);
    socket.setEncoding('utf8');
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.#leave(connection));
    const read = splitLines(
      (line) => this.#hear(connection, line),
      () => void socket.destroy(),
      () => (connection.isOpening || this.#strangers.isProved(socket) ? MAX_LINE : MAX_STRANGERS_LINE),
    );
    socket.on('data', (chunk: string) => read(chunk));
  }

  /** Ends: a client that comes now is turned away, to look for the next broker. */
  close(): void {
    this.#machines?.close();
    this.#closed = true;
    this.#strangers.close();
    this.#absent.close();
    this.#pools.close();
    for (const { socket } of this.#connections.all) socket.destroy();
  }

  /** The shared store was lost, or is back. */
  storeChanged(state: 'up' | 'down', why: string): void {
    this.#transitionLog.publishStoreState(state, why, this.#pools.names);
  }

  /** Other machines may have the members of these leases: their holders must stop. */
  lost(leases: readonly string[], why: string): void {
    for (const lease of leases) this.#pools.lose(lease, why);
    this.#pools.conclude();
  }

  /** No other machine can have these leases before that time: their holders need not ask until then. */
  proved(leases: readonly string[], until: number): void {
    this.#pools.proved(leases, until);
  }

  #hear(connection: Connection, line: string): void {
    const { socket } = connection;
    if (!connection.isOpening && !this.#strangers.isProved(socket)) return this.#meet(socket, line);
    const value = parseJson(line);
    const parsed = readClientMessage(value);
    if (parsed.success) this.#take(connection, parsed.data);
    else this.#refuse(connection, value, describeIssue(parsed.error));
  }

  /** A line of one that has not proved yet that it belongs here. */
  #meet(socket: Socket, line: string): void {
    if (this.#strangers.isGreeted(socket)) {
      if (!this.#strangers.prove(socket, line)) socket.destroy();
      return;
    }
    const greeting = this.#strangers.greet(socket, line);
    if (greeting) socket.write(toLine(greeting), 'latin1');
    else socket.destroy();
  }

  #take(connection: Connection, message: ClientMessage): void {
    if (message.type === 'ping') return send(connection, { type: 'pong' });
    if (message.type !== 'hello' && connection.client !== '') return this.#receive(connection, message);
    const { socket } = connection;
    if (message.type !== 'hello' || connection.isOpening) return void socket.destroy();
    connection.isOpening = true;
    this.#strangers.accepted(socket);
    void this.#open(connection, message);
  }

  /** A message that is none: its sender hears so, and keeps what it holds. */
  #refuse(connection: Connection, value: unknown, why: string): void {
    const ask = isObject(value) ? value['ask'] : undefined;
    if (!connection.isOpening) reject(connection, 'message', `its hello is none (${why})`);
    else if (typeof ask === 'number') answer(connection, ask, { is: 'invalid', why });
  }

  async #open(connection: Connection, hello: Message<'hello'>): Promise<void> {
    // Another broker has one of its names: this client finds that one by looking again.
    if (!(await this.#ports.takeNames(hello.projects))) return void connection.socket.destroy();
    if (!this.#hasItsStore(hello)) return this.#turnAway(connection);
    const store = await this.#ports.store;
    if (typeof store === 'string') return reject(connection, 'store', store);
    await this.#ports.configStore?.settleOn(hello.follows?.revision ?? null);
    if (store) {
      this.#pools.share(store);
      this.#machines ??= new Machines(store, () => this.#ownBoard());
    }
    await this.#pools.learn(hello.pools);
    this.#welcome(connection, hello);
  }

  /** One of a run that goes on gets the configuration in force, and with that its store; others look and lease nothing. */
  #hasItsStore({ store, follows }: Message<'hello'>): boolean {
    if (store === this.#ports.storeId) return true;
    return follows !== undefined && (follows.role !== 'worker' || this.#revisions.isKnown(follows));
  }

  #turnAway(connection: Connection): void {
    if (this.clients === 0 && this.#absent.awaits === null) {
      connection.socket.destroy();
      return this.#ports.onOutdated();
    }
    reject(
      connection,
      'other-store',
      'Another run of this configuration file is under way, and it uses another store. Wait until it ends, or use the ' +
        'same store: "store" in the configuration, and GEMBA_STORE.',
    );
  }

  #welcome(connection: Connection, hello: Message<'hello'>): void {
    // It may have died while the store was waited for: its connection closes once, and would never end its leases.
    if (connection.socket.destroyed) return;
    if (this.#closed) return void connection.socket.destroy();
    const { client, pid, projects, isPresent, follows = null, probes = false } = hello;
    const presence = isPresent ? this.#ports.presenceOf(projects, client, pid) : null;
    Object.assign(connection, { client, pid, presence, follows, probes });
    connection.specs = new Map(hello.pools.map((spec) => [spec.name, spec]));
    this.#connections.add(connection);
    this.#absent.back(client);
    this.#pools.restoreLeases(connection, hello.held);
    const isKnownRun = follows !== null && this.#revisions.isKnown(follows);
    if (!isKnownRun && follows !== null && follows.role !== 'command') this.#pools.tryAccountsAgain();
    const healthSnapshots = hello.pools.flatMap((spec) =>
      healthSnapshotsOf(this.#pools.named(spec.name), spec, this.#context()),
    );
    const config = this.#revisions.takeUpdate(connection);
    const { notices } = this.#pools;
    send(connection, { type: 'welcome', broker: this.#id, healthSnapshots, config, isKnownRun, notices });
    this.#revisions.join(connection, follows?.revision ?? null);
    this.#revisions.readFiles(follows?.revision ?? null, follows?.files ?? []);
    this.#transitionLog.replay(connection, connection.specs.keys());
    this.#ports.onClients(this.clients);
    this.#absent.heard(client);
    this.#pools.probersChanged();
    this.#goOn();
  }

  #receive(connection: Connection, message: Exclude<ClientMessage, { type: 'hello' | 'ping' }>): void {
    if (message.type === 'offer') this.#revisions.offer(message.revision, message.layers);
    else if (this.#revisions.isUndecided(connection))
      this.#heldBack.push(() => this.#receive(connection, message));
    else if (!connection.socket.destroyed) this.#applyLeaseMessage(connection, message);
  }

  #goOn(): void {
    const heldBack = this.#heldBack;
    this.#heldBack = [];
    for (const receive of heldBack) receive();
    this.#pools.awaitsChanged();
    this.#pools.conclude();
  }

  #isFirst({ run, topic }: { run: number; topic: string }): boolean {
    const before = this.#notices.size;
    return this.#notices.add(`${run} ${topic}`).size > before;
  }

  #applyLeaseMessage(
    connection: Connection,
    message: Exclude<ClientMessage, { type: 'hello' | 'offer' | 'ping' }>,
  ): void {
    switch (message.type) {
      case 'record':
        return this.#ports.tasks.record(message.round, message.outcome);
      case 'pick':
        return answer(connection, message.ask, {
          is: 'picked',
          ...this.#ports.tasks.pick(connection.client, message),
        });
      case 'test-failed':
        noteFailure(this.#reruns, message, message.product);
        return answer(connection, message.ask, { is: 'noted' });
      case 'judge':
        return this.#judge(connection, message);
      case 'attempt-passed':
        return this.#runViews.passed(runOf(connection), message);
      case 'test-retry':
        return answer(connection, message.ask, { is: 'test-retry', endedBy: endedBy(this.#reruns, message) });
      case 'first-notice':
        return answer(connection, message.ask, { is: 'first-notice', isFirst: this.#isFirst(message) });
      case 'time-step':
        return void this.#takeStep(connection, message);
      case 'lock':
        return this.#locks.lock(message.lock, message.topic, connection.client, message.ask);
      case 'unlock':
        return this.#locks.unlock(message.lock);
      case 'status':
        return void this.#sendStatus(connection, message);
      case 'admin':
        this.#administer(connection, message);
        break;
      case 'pools':
        this.#updateSpec(connection, message);
        break;
      case 'probed':
        this.#pools.probed(message, this.#context());
        break;
      case 'spent':
        this.#pools.spent(message, connection.client);
        break;
      default:
        this.#lease(connection, message);
    }
    this.#pools.conclude();
  }

  #lease(
    connection: Connection,
    message: Message<'acquire' | 'permit' | 'move' | 'retry' | 'prove' | 'request' | 'release' | 'account'>,
  ): void {
    const holding = this.#pools.with(message.lease);
    const spec = connection.specs.get((message.type === 'acquire' ? message.pool : holding?.name) ?? '');
    if (!spec || isForeign(holding, message.lease, connection.client)) {
      if ('ask' in message) answer(connection, message.ask, { is: 'lost', why: UNKNOWN_LEASE });
      return;
    }
    if (message.type === 'prove') return void this.#prove(connection, message);
    const context = this.#context();
    const pool = this.#pools.named(spec.name);
    if (message.type === 'retry')
      return answer(connection, message.ask, { is: 'retry', allowed: retryInPlace(pool, message.lease) });
    if (message.type === 'account') return this.#account(connection, pool, message, context);
    if (message.type === 'request') this.#runViews.note(runOf(connection), pool, message, context.now);
    this.#pools.apply(applyLeaseMessage(pool, spec, connection.client, message, context));
    if (message.type === 'request' || message.type === 'release') this.#sendEstimates(connection, context);
    // A pause of one model changes no member's health, and is to be kept all the same.
    if (message.type === 'request' && isLimit(message.outcome.kind)) this.#ports.onChange();
  }

  #account(connection: Connection, pool: PoolState, message: Message<'account'>, context: Context): void {
    const lease = pool.leases.get(message.lease);
    const { event, why } = message;
    if (lease)
      this.#pools.apply(applyAccountEvent(pool, lease, { event, why, run: runOf(connection) }, context));
    answer(connection, message.ask, { is: 'noted' });
  }

  async #prove(connection: Connection, { ask, lease }: Message<'prove'>): Promise<void> {
    answer(connection, ask, await this.#pools.prove(lease));
  }

  async #takeStep(connection: Connection, { ask, secret, first, last }: Message<'time-step'>): Promise<void> {
    const { sharedStore } = this.#pools;
    const span = { first, last: Math.min(last, first + MAX_STEPS) };
    const step = sharedStore
      ? await sharedStore.takeStep(secret, span.first, span.last)
      : this.#ports.timeSteps.take(secret, span);
    const taken = typeof step === 'string' ? { step: null, why: step } : { step };
    answer(connection, ask, { is: 'time-step', ...taken });
  }

  #judge(connection: Connection, message: Message<'judge'>): void {
    const pools = [...connection.specs.values()].map((spec) => {
      return { spec, state: this.#pools.named(spec.name) };
    });
    const judged = this.#runViews.judge(runOf(connection), message, pools, this.#ports.now());
    answer(connection, message.ask, { is: 'judged', ...judged });
  }

  /** A client has told its pools of the revision in force; of an older one they do not matter any more. */
  #updateSpec(connection: Connection, message: Message<'pools'>): void {
    if (message.revision !== this.#revisions.inForce) return;
    const { specs: before } = connection;
    connection.specs = new Map(message.pools.map((spec) => [spec.name, spec]));
    this.#revisions.onPools(connection, message.problems);
    this.#revisions.readFiles(message.revision, message.files);
    this.#pools.updateSpec(connection.client, before, connection.specs);
  }

  /** What the router believes goes into the records; what changed since a moment ago can wait. */
  #sendEstimates(connection: Connection, context: Context): void {
    if (context.now - (this.#estimatesSentAt.get(connection) ?? -Infinity) < ESTIMATES_EVERY_MS) return;
    this.#estimatesSentAt.set(connection, context.now);
    const routerEstimates = [...connection.specs.values()].flatMap((spec) =>
      routerEstimatesOf(this.#pools.named(spec.name), spec, this.#ports.routing, context),
    );
    if (routerEstimates.length > 0) send(connection, { type: 'router-estimates', routerEstimates });
  }

  async #sendStatus(connection: Connection, { ask }: Message<'status'>): Promise<void> {
    const { specs } = connection;
    const own = this.#status(specs.values());
    const now = this.#ports.dateOf(this.#ports.now());
    const stateOf = (pool: string): PoolState => this.#pools.named(pool);
    const all = await this.#machines?.withOthers(own, specs, stateOf, now);
    answer(connection, ask, { is: 'status', machine: machineName(), pools: own, notice: null, ...all });
  }

  /** What is held on this machine. */
  #status(specs: Iterable<PoolSpec>): PoolStatus[] {
    const context = this.#context();
    const pids = new Map(this.#connections.all.map(({ client, pid }) => [client, pid]));
    return Array.from(specs, (spec) =>
      statusOf(this.#pools.named(spec.name), spec, context, (client) => pids.get(client) ?? null),
    );
  }

  #ownBoard(): Board {
    const specs = new Map(this.#connections.all.flatMap((connection) => [...connection.specs]));
    return boardOf(this.#status(specs.values()));
  }

  #administer(connection: Connection, { ask, pool, action, name, reservation }: Message<'admin'>): void {
    const spec = connection.specs.get(pool);
    const state = this.#pools.named(pool);
    const effects = spec && administer(state, spec, action, name, this.#context(), reservation);
    if (effects) this.#pools.apply(effects);
    answer(connection, ask, { is: 'administered', known: Boolean(effects) });
  }

  #leave(connection: Connection): void {
    if (!this.#connections.remove(connection)) return;
    const { client, presence } = connection;
    this.#ports.tasks.dropClient(client);
    this.#locks.cancelWaitsOf(client);
    if (presence === null || this.#closed || !this.#pools.isHolder(client)) this.#drop(client);
    else {
      this.#pools.cancelWaitsOf(client);
      this.#absent.leave(client, presence, () => this.#drop(client));
    }
    this.#ports.onClients(this.clients);
    this.#pools.conclude();
  }

  #drop(client: string): void {
    this.#locks.dropClient(client);
    this.#pools.dropClient(client);
    this.#ports.onClients(this.clients);
    this.#pools.conclude();
  }
}

function lockedAnswer(ask: number): BrokerMessage {
  return { type: 'answer', ask, answer: { is: 'locked' } };
}

/** Clients of one run share what it has seen. */
function runOf({ follows }: Connection): string {
  return follows?.run ?? '';
}

function isLimit(kind: OutcomeKind): boolean {
  return kind === 'rate-limit' || kind === 'exhausted';
}

function reject(
  connection: Connection,
  code: Extract<BrokerMessage, { type: 'rejected' }>['code'],
  why: string,
): void {
  send(connection, { type: 'rejected', code, why });
  connection.socket.end();
}
