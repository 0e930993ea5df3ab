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
import { handle } from './apply-message.ts';
import { ESTIMATES_EVERY_MS, routerEstimatesOf } from './estimates.ts';
import type { Keeper } from './config-store.ts';
import { Newcomers } from './pending-connections.ts';
import { News } from './transition-log.ts';
import { isForeign } from './ownership.ts';
import { answer, type Peer, Peers, send } from './connections.ts';
import { Pools } from './pools.ts';
import { Probers } from './probers.ts';
import { type BrokerMessage, type LinkMessage, linkMessage } from '../wire/messages.ts';
import { Revisions } from './revisions.ts';
import type { Sharing } from './shared-store.ts';
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
  readonly onLinks: (links: ReadonlyMap<string, number>) => void;
  /** Called when a member's health changed. */
  readonly onChange: () => void;
  /** What machines share, once it is open; the reason where it could not be opened; null without one. */
  readonly store: Promise<SharedStore | string | null>;
  /** The configuration that links follow; null where nobody told its file. */
  readonly keeper: Keeper | null;
}

type Message<T extends LinkMessage['type']> = Extract<LinkMessage, { type: T }>;

/** The broker: sockets on one side, the pools on the other. */
export class Broker {
  readonly #ports: BrokerPorts;
  readonly #id = randomUUID();
  readonly #peers = new Peers();
  readonly #newcomers = new Newcomers();
  readonly #pools: Pools;
  readonly #news: News;
  readonly #revisions: Revisions;
  readonly #context: () => Context;
  readonly #estimatesSentAt = new WeakMap<Peer, number>();
  readonly #reruns: Reruns = new Map();
  /** Messages held back until every awaited link has told what it holds. */
  #heldBack: (() => void)[] = [];
  #closed = false;

  constructor(ports: BrokerPorts) {
    this.#ports = ports;
    this.#context = contextsOf(ports);
    this.#revisions = new Revisions(this.#id, this.#peers, ports.keeper);
    this.#news = new News(this.#id, this.#peers, ports.now);
    this.#pools = new Pools({
      now: ports.now,
      context: this.#context,
      states: ports.pools,
      peers: this.#peers,
      probers: new Probers(this.#peers),
      news: this.#news,
      revision: () => this.#revisions.inForce,
      mayTick: () => !this.#isAwaiting,
      onChange: ports.onChange,
    });
  }

  get links(): number {
    return this.#peers.count;
  }

  get sharing(): Sharing | null {
    return this.#pools.sharing;
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
    this.#newcomers.close();
    this.#pools.close();
  }

  /** Stops waiting for links that have not come back: their processes are gone. */
  stopAwaiting(links: readonly string[]): void {
    for (const link of links) this.#ports.awaited.delete(link);
    this.#goOn();
  }

  /** The shared store was lost, or is back. */
  storeChanged(state: 'up' | 'down', why: string): void {
    this.#news.tellStore(state, why, this.#pools.names);
  }

  /** Leases that can no longer be guaranteed: their holders must stop. */
  lost(leases: readonly string[]): void {
    for (const id of leases) {
      const lease = this.#pools.with(id)?.leases.get(id);
      if (lease) this.#peers.send(lease.link, { type: 'lost', lease: id });
    }
  }

  get #isAwaiting(): boolean {
    return this.#ports.awaited.size > 0;
  }

  #accept(socket: Socket): void {
    const peer: Peer = { socket, link: '', pid: 0, specs: new Map(), follows: null, probes: false };
    this.#newcomers.add(socket);
    socket.setEncoding('utf8');
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.#leave(peer));
    const refuse = (): void => {
      socket.destroy();
    };
    const read = splitLines((line) => this.#hear(peer, line), refuse);
    socket.on('data', (chunk: string) => read(chunk));
  }

  #hear(peer: Peer, line: string): void {
    const parsed = linkMessage.safeParse(parseJson(line));
    if (!parsed.success) return reject(peer, 'message', `not a message of protocol ${PROTOCOL_VERSION}`);
    const message = parsed.data;
    if (message.type !== 'hello' && peer.link !== '') this.#receive(peer, message);
    else if (message.type === 'hello' && this.#newcomers.greets(peer.socket)) void this.#open(peer, message);
    else peer.socket.destroy();
  }

  async #open(peer: Peer, hello: Message<'hello'>): Promise<void> {
    const store = await this.#ports.store;
    if (typeof store === 'string') return reject(peer, 'store', store);
    await this.#ports.keeper?.meet(hello.follows?.revision ?? null);
    if (store) this.#pools.share(store);
    await this.#pools.learn(hello.pools);
    this.#greet(peer, hello);
  }

  #greet(peer: Peer, hello: Message<'hello'>): void {
    if (hello.version !== PROTOCOL_VERSION) {
      const why = `the running broker speaks protocol ${PROTOCOL_VERSION}, this process ${hello.version}`;
      return reject(peer, 'version', why);
    }
    // It may have died while the store was waited for: its connection closes once, and would never end its leases.
    if (peer.socket.destroyed) return;
    if (this.#closed) {
      peer.socket.destroy();
      return;
    }
    const known = this.#peers.has(hello.link);
    const { link, pid, follows = null, probes = false } = hello;
    Object.assign(peer, { link, pid, follows, probes });
    peer.specs = new Map(hello.pools.map((spec) => [spec.name, spec]));
    this.#peers.add(peer);
    this.#newcomers.welcomed(peer.socket);
    this.#pools.restoreLease(link, peer.specs, hello.held);
    const healthSnapshots = hello.pools.flatMap((spec) =>
      healthSnapshotsOf(this.#pools.named(spec.name), spec),
    );
    const isKnownRun = this.#revisions.isKnown(peer);
    const config = this.#revisions.takeNews(peer);
    const { notices } = this.#pools;
    send(peer, { type: 'welcome', broker: this.#id, healthSnapshots, config, isKnownRun, notices });
    this.#revisions.join(peer, follows?.revision ?? null);
    this.#news.greet(peer, peer.specs.keys());
    if (!known) this.#tellLinks();
    this.#ports.awaited.delete(link);
    this.#pools.probersChanged();
    this.#goOn();
  }

  #receive(peer: Peer, message: Exclude<LinkMessage, { type: 'hello' }>): void {
    if (message.type === 'offer') this.#revisions.offer(message.revision, message.text);
    else if (this.#isAwaiting || this.#revisions.isUndecided(peer))
      this.#heldBack.push(() => this.#receive(peer, message));
    else if (!peer.socket.destroyed) this.#handle(peer, message);
  }

  #goOn(): void {
    if (this.#isAwaiting) return;
    const heldBack = this.#heldBack;
    this.#heldBack = [];
    for (const receive of heldBack) receive();
    this.#pools.conclude();
  }

  #handle(peer: Peer, message: Exclude<LinkMessage, { type: 'hello' | 'offer' }>): void {
    switch (message.type) {
      case 'record':
        return this.#ports.tasks.record(message.round, message.outcome);
      case 'pick':
        return answer(peer, message.ask, { is: 'picked', ...this.#ports.tasks.pick(peer.link, message) });
      case 'failed':
        noteFailure(this.#reruns, message, message.product);
        return answer(peer, message.ask, { is: 'noted' });
      case 'rerun':
        return answer(peer, message.ask, { is: 'rerun', endedBy: endedBy(this.#reruns, message) });
      case 'status':
        return this.#tellStatus(peer, message);
      case 'admin':
        this.#administer(peer, message);
        break;
      case 'pools':
        this.#updateSpec(peer, message);
        break;
      case 'probed':
        this.#pools.probed(message, this.#context());
        break;
      default:
        this.#lease(peer, message);
    }
    this.#pools.conclude();
  }

  #lease(
    peer: Peer,
    message: Message<'acquire' | 'permit' | 'move' | 'retry' | 'attempt' | 'release'>,
  ): void {
    const holding = this.#pools.with(message.lease);
    const spec = peer.specs.get((message.type === 'acquire' ? message.pool : holding?.name) ?? '');
    if (!spec || isForeign(holding, message.lease, peer.link)) {
      if ('ask' in message) answer(peer, message.ask, { is: 'stay', why: 'the lease is gone' });
      return;
    }
    const context = this.#context();
    const pool = this.#pools.named(spec.name);
    if (message.type === 'retry')
      return answer(peer, message.ask, { is: 'retry', allowed: retryInPlace(pool, message.lease) });
    this.#pools.apply(handle(pool, spec, peer.link, message, context));
    if (message.type === 'attempt' || message.type === 'release') this.#sendEstimates(peer, context);
  }

  /** A link has told its pools of the revision in force; of an older one they do not matter any more. */
  #updateSpec(peer: Peer, message: Message<'pools'>): void {
    if (message.revision !== this.#revisions.inForce) return;
    const { specs: before } = peer;
    peer.specs = new Map(message.pools.map((spec) => [spec.name, spec]));
    this.#revisions.told(peer, message.problems);
    this.#pools.updateSpec(peer.link, before, peer.specs);
  }

  /** What the router believes goes into the records; what changed since a moment ago can wait. */
  #sendEstimates(peer: Peer, context: Context): void {
    if (context.now - (this.#estimatesSentAt.get(peer) ?? -Infinity) < ESTIMATES_EVERY_MS) return;
    this.#estimatesSentAt.set(peer, context.now);
    const routerEstimates = [...peer.specs.values()].flatMap((spec) =>
      routerEstimatesOf(this.#pools.named(spec.name), spec, this.#ports.routing, context),
    );
    if (routerEstimates.length > 0) send(peer, { type: 'router-estimates', routerEstimates });
  }

  #tellStatus(peer: Peer, { ask }: Message<'status'>): void {
    const context = this.#context();
    const pools = [...peer.specs.values()].map((spec) =>
      statusOf(this.#pools.named(spec.name), spec, context),
    );
    answer(peer, ask, { is: 'status', pools });
  }

  #administer(peer: Peer, { ask, pool, action, name }: Message<'admin'>): void {
    const spec = peer.specs.get(pool);
    const effects = spec && administer(this.#pools.named(pool), spec, action, name, this.#context());
    if (effects) this.#pools.apply(effects);
    answer(peer, ask, { is: 'administered', known: Boolean(effects) });
  }

  #leave(peer: Peer): void {
    if (!this.#peers.remove(peer)) return;
    this.#ports.tasks.dropClient(peer.link);
    this.#pools.dropClient(peer.link);
    this.#tellLinks();
    this.#pools.conclude();
  }

  #tellLinks(): void {
    this.#ports.onLinks(this.#peers.processes);
  }
}

function reject(peer: Peer, code: Extract<BrokerMessage, { type: 'rejected' }>['code'], why: string): void {
  send(peer, { type: 'rejected', code, why });
  peer.socket.end();
}
