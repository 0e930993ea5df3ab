import { randomUUID } from 'node:crypto';
import type { Server, Socket } from 'node:net';
import { administer, healthSnapshotsOf, statusOf } from '../core/admin.ts';
import type { Clock, Random } from '../core/clock.ts';
import { retryInPlace } from '../core/pool.ts';
import { endedBy, noteFailure, type Reruns } from '../core/blame/test-retries.ts';
import type { Context, PoolState } from '../core/state.ts';
import type { SharedStore } from '../redis/types.ts';
import type { PoolRouting } from '../router/routing.ts';
import { parseJson } from '../shared/json.ts';
import { PROTOCOL_VERSION, splitLines } from '../wire/lines.ts';
import { contextsOf } from './context.ts';
import { applyLeaseMessage } from './apply-message.ts';
import { ESTIMATES_EVERY_MS, routerEstimatesOf } from './estimates.ts';
import type { ConfigStore } from './config-store.ts';
import { PendingConnections } from './pending-connections.ts';
import { TransitionLog } from './transition-log.ts';
import { isForeign } from './ownership.ts';
import { answer, type Connection, Connections, send } from './connections.ts';
import { Pools } from './pools.ts';
import { Probers } from './probers.ts';
import { describeIssue } from '../wire/schema.ts';
import { type BrokerMessage, type ClientMessage, clientMessage } from '../wire/messages.ts';
import { Revisions } from './revisions.ts';
import type { SharedStoreAdapter } from './shared-store.ts';
import type { Tasks } from './tasks.ts';

export interface BrokerPorts {
  readonly now: Clock;
  readonly random: Random;
  readonly routing: PoolRouting;
  readonly pools: Map<string, PoolState>;
  readonly tasks: Tasks;
  /** Links whose leases must be heard of before anything is granted, by id with their process: after a crash. */
  readonly awaited: Map<string, number>;
  /** Called when the set of links changed. */
  readonly onClients: (clients: ReadonlyMap<string, number>) => void;
  /** Called when a member's health changed. */
  readonly onChange: () => void;
  /** What machines share, once it is open; the reason where it could not be opened; null without one. */
  readonly store: Promise<SharedStore | string | null>;
  /** The configuration that links follow; null where nobody told its file. */
  readonly configStore: ConfigStore | null;
}

type Message<T extends ClientMessage['type']> = Extract<ClientMessage, { type: T }>;

/** The broker: sockets on one side, the pools on the other. */
export class Broker {
  readonly #ports: BrokerPorts;
  readonly #id = randomUUID();
  readonly #connections = new Connections();
  readonly #pending = new PendingConnections();
  readonly #pools: Pools;
  readonly #transitionLog: TransitionLog;
  readonly #revisions: Revisions;
  readonly #context: () => Context;
  readonly #estimatesSentAt = new WeakMap<Connection, number>();
  readonly #reruns: Reruns = new Map();
  /** Messages held back until every awaited link has told what it holds. */
  #heldBack: (() => void)[] = [];
  #closed = false;

  constructor(ports: BrokerPorts) {
    this.#ports = ports;
    this.#context = contextsOf(ports);
    this.#revisions = new Revisions(this.#id, this.#connections, ports.configStore);
    this.#transitionLog = new TransitionLog(this.#id, this.#connections, ports.now);
    this.#pools = new Pools({
      now: ports.now,
      context: this.#context,
      states: ports.pools,
      connections: this.#connections,
      probers: new Probers(this.#connections),
      transitionLog: this.#transitionLog,
      revision: () => this.#revisions.inForce,
      mayTick: () => !this.#isAwaiting,
      onChange: ports.onChange,
    });
  }

  get clients(): number {
    return this.#connections.count;
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

  serve(server: Server): void {
    server.on('connection', (socket) => this.#accept(socket));
  }

  /** Ends: a link that comes now is turned away, to look for the next broker. */
  close(): void {
    this.#closed = true;
    this.#pending.close();
    this.#pools.close();
  }

  /** Stops waiting for links that have not come back: their processes are gone. */
  stopAwaiting(clients: readonly string[]): void {
    for (const client of clients) this.#ports.awaited.delete(client);
    this.#goOn();
  }

  /** The shared store was lost, or is back. */
  storeChanged(state: 'up' | 'down', why: string): void {
    this.#transitionLog.publishStoreState(state, why, this.#pools.names);
  }

  /** Leases that can no longer be guaranteed: their holders must stop. */
  lost(leases: readonly string[]): void {
    for (const id of leases) {
      const lease = this.#pools.with(id)?.leases.get(id);
      if (lease) this.#connections.send(lease.client, { type: 'lost', lease: id });
    }
  }

  get #isAwaiting(): boolean {
    return this.#ports.awaited.size > 0;
  }

  #accept(socket: Socket): void {
    const connection: Connection = {
      socket,
      client: '',
      pid: 0,
      specs: new Map(),
      follows: null,
      probes: false,
    };
    this.#pending.add(socket);
    socket.setEncoding('utf8');
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.#leave(connection));
    const refuse = (): void => {
      socket.destroy();
    };
    const read = splitLines((line) => this.#hear(connection, line), refuse);
    socket.on('data', (chunk: string) => read(chunk));
  }

  #hear(connection: Connection, line: string): void {
    const parsed = clientMessage.safeParse(parseJson(line));
    if (!parsed.success)
      return reject(
        connection,
        'message',
        `not a message of protocol ${PROTOCOL_VERSION} (${describeIssue(parsed.error)})`,
      );
    const message = parsed.data;
    if (message.type !== 'hello' && connection.client !== '') this.#receive(connection, message);
    else if (message.type === 'hello' && this.#pending.onHello(connection.socket))
      void this.#open(connection, message);
    else connection.socket.destroy();
  }

  async #open(connection: Connection, hello: Message<'hello'>): Promise<void> {
    const store = await this.#ports.store;
    if (typeof store === 'string') return reject(connection, 'store', store);
    await this.#ports.configStore?.settleOn(hello.follows?.revision ?? null);
    if (store) this.#pools.share(store);
    await this.#pools.learn(hello.pools);
    this.#welcome(connection, hello);
  }

  #welcome(connection: Connection, hello: Message<'hello'>): void {
    if (hello.version !== PROTOCOL_VERSION) {
      const why = `the running broker speaks protocol ${PROTOCOL_VERSION}, this process ${hello.version}`;
      return reject(connection, 'version', why);
    }
    // It may have died while the store was waited for: its connection closes once, and would never end its leases.
    if (connection.socket.destroyed) return;
    if (this.#closed) {
      connection.socket.destroy();
      return;
    }
    const known = this.#connections.has(hello.client);
    const { client, pid, follows = null, probes = false } = hello;
    Object.assign(connection, { client, pid, follows, probes });
    connection.specs = new Map(hello.pools.map((spec) => [spec.name, spec]));
    this.#connections.add(connection);
    this.#pending.accepted(connection.socket);
    this.#pools.restoreLease(client, connection.specs, hello.held);
    const healthSnapshots = hello.pools.flatMap((spec) =>
      healthSnapshotsOf(this.#pools.named(spec.name), spec),
    );
    const isKnownRun = this.#revisions.isKnown(connection);
    const config = this.#revisions.takeUpdate(connection);
    const { notices } = this.#pools;
    send(connection, { type: 'welcome', broker: this.#id, healthSnapshots, config, isKnownRun, notices });
    this.#revisions.join(connection, follows?.revision ?? null);
    this.#transitionLog.replay(connection, connection.specs.keys());
    if (!known) this.#writeClients();
    this.#ports.awaited.delete(client);
    this.#pools.probersChanged();
    this.#goOn();
  }

  #receive(connection: Connection, message: Exclude<ClientMessage, { type: 'hello' }>): void {
    if (message.type === 'offer') this.#revisions.offer(message.revision, message.text);
    else if (this.#isAwaiting || this.#revisions.isUndecided(connection))
      this.#heldBack.push(() => this.#receive(connection, message));
    else if (!connection.socket.destroyed) this.#applyLeaseMessage(connection, message);
  }

  #goOn(): void {
    if (this.#isAwaiting) return;
    const heldBack = this.#heldBack;
    this.#heldBack = [];
    for (const receive of heldBack) receive();
    this.#pools.conclude();
  }

  #applyLeaseMessage(
    connection: Connection,
    message: Exclude<ClientMessage, { type: 'hello' | 'offer' }>,
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
      case 'test-retry':
        return answer(connection, message.ask, { is: 'test-retry', endedBy: endedBy(this.#reruns, message) });
      case 'status':
        return this.#sendStatus(connection, message);
      case 'admin':
        this.#administer(connection, message);
        break;
      case 'pools':
        this.#updateSpec(connection, message);
        break;
      case 'probed':
        this.#pools.probed(message, this.#context());
        break;
      default:
        this.#lease(connection, message);
    }
    this.#pools.conclude();
  }

  #lease(
    connection: Connection,
    message: Message<'acquire' | 'permit' | 'move' | 'retry' | 'request' | 'release'>,
  ): void {
    const holding = this.#pools.with(message.lease);
    const spec = connection.specs.get((message.type === 'acquire' ? message.pool : holding?.name) ?? '');
    if (!spec || isForeign(holding, message.lease, connection.client)) {
      if ('ask' in message) answer(connection, message.ask, { is: 'stay', why: 'the lease is gone' });
      return;
    }
    const context = this.#context();
    const pool = this.#pools.named(spec.name);
    if (message.type === 'retry')
      return answer(connection, message.ask, { is: 'retry', allowed: retryInPlace(pool, message.lease) });
    this.#pools.apply(applyLeaseMessage(pool, spec, connection.client, message, context));
    if (message.type === 'request' || message.type === 'release') this.#sendEstimates(connection, context);
  }

  /** A link has told its pools of the revision in force; of an older one they do not matter any more. */
  #updateSpec(connection: Connection, message: Message<'pools'>): void {
    if (message.revision !== this.#revisions.inForce) return;
    const { specs: before } = connection;
    connection.specs = new Map(message.pools.map((spec) => [spec.name, spec]));
    this.#revisions.onPools(connection, message.problems);
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

  #sendStatus(connection: Connection, { ask }: Message<'status'>): void {
    const context = this.#context();
    const pools = [...connection.specs.values()].map((spec) =>
      statusOf(this.#pools.named(spec.name), spec, context),
    );
    answer(connection, ask, { is: 'status', pools });
  }

  #administer(connection: Connection, { ask, pool, action, name }: Message<'admin'>): void {
    const spec = connection.specs.get(pool);
    const effects = spec && administer(this.#pools.named(pool), spec, action, name, this.#context());
    if (effects) this.#pools.apply(effects);
    answer(connection, ask, { is: 'administered', known: Boolean(effects) });
  }

  #leave(connection: Connection): void {
    if (!this.#connections.remove(connection)) return;
    this.#ports.tasks.dropClient(connection.client);
    this.#pools.dropClient(connection.client);
    this.#writeClients();
    this.#pools.conclude();
  }

  #writeClients(): void {
    this.#ports.onClients(this.#connections.processes);
  }
}

function reject(
  connection: Connection,
  code: Extract<BrokerMessage, { type: 'rejected' }>['code'],
  why: string,
): void {
  send(connection, { type: 'rejected', code, why });
  connection.socket.end();
}
