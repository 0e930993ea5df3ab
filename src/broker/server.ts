import { randomUUID } from 'node:crypto';
import type { Server, Socket } from 'node:net';
import type { Clock, Random } from '../core/clock.ts';
import { administer, standingsOf, statusOf } from '../core/admin.ts';
import { respec } from '../core/respec.ts';
import { dropLink, type Effect, endDeadlocks, nextTick, reassert, retryInPlace, tick } from '../core/pool.ts';
import { endedBy, noteFailure, type Reruns } from '../core/reruns.ts';
import { probedElsewhere } from '../core/probe-results.ts';
import {
  type Context,
  type HealthChange,
  newPoolState,
  type PoolState,
  type Probe,
} from '../core/subject.ts';
import { rosterOf } from '../core/roster.ts';
import type { HealthState, Transition } from '../core/types.ts';
import type { SharedStore } from '../redis/types.ts';
import { Sharing } from './sharing.ts';
import type { Tasks } from './tasks.ts';
import type { PoolRouting } from '../router/routing.ts';
import { contextOf } from './context.ts';
import { INSIGHTS_EVERY_MS, insightsOf } from './insights.ts';
import { handle, memberOf, toAnswer } from './handle.ts';
import type { Keeper } from './keeper.ts';
import { Newcomers } from './newcomers.ts';
import { isForeign } from './ownership.ts';
import { answer, type Peer, Peers, send } from './peers.ts';
import { Revisions } from './revisions.ts';
import { Probers } from './probers.ts';
import { parseJson, PROTOCOL_VERSION, splitLines } from '../shared/wire.ts';
import { type LinkMessage, linkMessage } from './protocol.ts';

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

/** The broker: sockets on one side, the pure state of the pools on the other. */
export class Broker {
  readonly #ports: BrokerPorts;
  readonly #id = randomUUID();
  readonly #peers = new Peers();
  readonly #newcomers = new Newcomers();
  readonly #probers = new Probers(this.#peers);
  readonly #leasePool = new Map<string, string>();
  readonly #insightsToldAt = new WeakMap<Peer, number>();
  readonly #reruns: Reruns = new Map();
  #sequence = 0;
  #timer: NodeJS.Timeout | undefined;
  /** Messages held back until every awaited link has told what it holds. */
  #heldBack: (() => void)[] = [];
  #closed = false;
  #sharing: Sharing | null = null;
  readonly #revisions: Revisions;
  /** Why the shared store is away, while it is. */
  #storeDown: string | null = null;
  readonly #storeNews = new Map<string, Transition>();

  constructor(ports: BrokerPorts) {
    this.#ports = ports;
    this.#revisions = new Revisions(this.#id, this.#peers, ports.keeper);
  }

  /** Another revision is in force, or an edit was refused. */
  configChanged(): void {
    for (const pool of this.#ports.pools.values()) pool.revision = this.#revisions.inForce;
    this.#revisions.announce();
    this.#goOn();
  }

  get links(): number {
    return this.#peers.count;
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
    clearTimeout(this.#timer);
  }

  /** Stops waiting for links that have not come back: their processes are gone. */
  stopAwaiting(links: readonly string[]): void {
    for (const link of links) this.#ports.awaited.delete(link);
    this.#goOn();
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
    if (!parsed.success) {
      const why = `not a message of protocol ${PROTOCOL_VERSION}`;
      send(peer, { type: 'rejected', code: 'message', why });
      peer.socket.end();
      return;
    }
    const message = parsed.data;
    if (message.type !== 'hello' && peer.link !== '') this.#receive(peer, message);
    else if (message.type === 'hello' && this.#newcomers.greets(peer.socket)) void this.#open(peer, message);
    else peer.socket.destroy();
  }

  #receive(peer: Peer, message: Exclude<LinkMessage, { type: 'hello' }>): void {
    if (message.type === 'offer') this.#revisions.offer(message.revision, message.text);
    else if (this.#ports.awaited.size > 0 || this.#revisions.isUndecided(peer))
      this.#heldBack.push(() => this.#receive(peer, message));
    else this.#handle(peer, message);
  }

  async #open(peer: Peer, hello: Extract<LinkMessage, { type: 'hello' }>): Promise<void> {
    const store = await this.#ports.store;
    if (typeof store === 'string') {
      send(peer, { type: 'rejected', code: 'store', why: store });
      peer.socket.end();
      return;
    }
    await this.#ports.keeper?.meet(hello.follows?.revision ?? null);
    if (store && !this.#sharing) this.#share(store);
    if (this.#sharing) {
      for (const spec of hello.pools) rosterOf(this.#pool(spec.name), spec, this.#context());
      await this.#sharing.learnAll();
    }
    this.#greet(peer, hello);
  }

  #share(store: SharedStore): void {
    for (const pool of this.#ports.pools.values()) pool.shared = true;
    const apply = (effects: readonly Effect[]): void => {
      this.#apply(effects);
      this.#schedule();
    };
    const tellChange = (change: HealthChange): void => this.#announce(change, false);
    this.#sharing = new Sharing(store, {
      pools: this.#ports.pools,
      context: () => this.#context(),
      apply,
      tellChange,
    });
  }

  get sharing(): Sharing | null {
    return this.#sharing;
  }

  #greet(peer: Peer, hello: Extract<LinkMessage, { type: 'hello' }>): void {
    if (hello.version !== PROTOCOL_VERSION) {
      const why = `the running broker speaks protocol ${PROTOCOL_VERSION}, this process ${hello.version}`;
      send(peer, { type: 'rejected', code: 'version', why });
      peer.socket.end();
      return;
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
    const context = this.#context();
    for (const { lease, pool, need, holder, testId, endpoint, key } of hello.held) {
      const spec = peer.specs.get(pool);
      if (!spec || isForeign(this.#poolOf(lease), lease, link)) continue;
      this.#leasePool.set(lease, pool);
      const taken = reassert(
        this.#pool(pool),
        { id: lease, link: hello.link, spec, need, holder, testId },
        { endpoint, key },
        context,
      );
      if (taken) void this.#sharing?.takeOver(this.#pool(pool), taken);
    }
    const standings = hello.pools.flatMap((spec) => standingsOf(this.#pool(spec.name), spec));
    const isKnownRun = this.#revisions.isKnown(peer);
    send(peer, {
      type: 'welcome',
      broker: this.#id,
      standings,
      config: this.#revisions.takeNews(peer),
      isKnownRun,
    });
    this.#revisions.join(peer, hello.follows?.revision ?? null);
    if (this.#storeDown !== null) {
      for (const { name } of hello.pools) {
        const transition = this.#storeTransition(name, 'healthy', 'ejected', this.#storeDown);
        send(peer, { type: 'transition', transition });
      }
    }
    if (!known) this.#tellLinks();
    this.#ports.awaited.delete(hello.link);
    for (const spec of hello.pools) this.#pool(spec.name);
    this.#apply(this.#probers.changed(this.#ports.pools.values(), context));
    this.#goOn();
  }

  #goOn(): void {
    if (this.#ports.awaited.size > 0) return;
    const heldBack = this.#heldBack;
    this.#heldBack = [];
    for (const handle of heldBack) handle();
    this.#schedule();
  }

  #handle(peer: Peer, message: Exclude<LinkMessage, { type: 'hello' | 'offer' }>): void {
    if (peer.socket.destroyed) return;
    if (message.type === 'record') return this.#ports.tasks.record(message.round, message.outcome);
    if (message.type === 'pick') {
      return answer(peer, message.ask, { is: 'picked', ...this.#ports.tasks.pick(peer.link, message) });
    }
    const context = this.#context();
    if (message.type === 'status' || message.type === 'admin')
      return this.#administer(peer, message, context);
    if (message.type === 'failed' || message.type === 'rerun') return this.#remember(peer, message);
    if (message.type === 'pools') return this.#respec(peer, message, context);
    if (message.type === 'probed') return this.#probed(message, context);
    const poolName = message.type === 'acquire' ? message.pool : this.#leasePool.get(message.lease);
    const spec = poolName === undefined ? undefined : peer.specs.get(poolName);
    const foreign = isForeign(this.#poolOf(message.lease), message.lease, peer.link);
    if (poolName === undefined || spec === undefined || foreign) {
      if ('ask' in message) answer(peer, message.ask, { is: 'stay', why: 'the lease is gone' });
      return;
    }
    const pool = this.#pool(poolName);
    if (message.type === 'acquire') this.#leasePool.set(message.lease, poolName);
    if (message.type === 'retry') {
      answer(peer, message.ask, { is: 'retry', allowed: retryInPlace(pool, message.lease) });
    } else this.#apply(handle(pool, spec, peer.link, message, context));
    if (message.type === 'attempt' || message.type === 'release') this.#tellInsights(peer, context);
    if (message.type === 'release') this.#leasePool.delete(message.lease);
    if (message.type === 'acquire' && pool.queue.length > 0)
      this.#apply(endDeadlocks(this.#ports.pools.values(), context));
    this.#schedule();
  }

  /** A link has told its pools of the revision in force; of an older one they do not matter any more. */
  #respec(peer: Peer, message: Extract<LinkMessage, { type: 'pools' }>, context: Context): void {
    if (message.revision !== this.#revisions.inForce) return;
    const { specs: before } = peer;
    peer.specs = new Map(message.pools.map((spec) => [spec.name, spec]));
    this.#revisions.told(peer, message.problems);
    for (const name of new Set([...before.keys(), ...peer.specs.keys()])) {
      this.#apply(respec(this.#pool(name), peer.link, peer.specs.get(name) ?? null, context));
    }
    this.#apply(this.#probers.changed(this.#ports.pools.values(), context));
    void this.#sharing?.learnAll();
    this.#schedule();
  }

  /** What the router believes goes into the records; what changed since a moment ago can wait. */
  #tellInsights(peer: Peer, context: Context): void {
    if (context.now - (this.#insightsToldAt.get(peer) ?? -Infinity) < INSIGHTS_EVERY_MS) return;
    this.#insightsToldAt.set(peer, context.now);
    const insights = [...peer.specs.values()].flatMap((spec) =>
      insightsOf(this.#pool(spec.name), spec, this.#ports.routing, context),
    );
    if (insights.length > 0) send(peer, { type: 'insights', insights });
  }

  #administer(
    peer: Peer,
    message: Extract<LinkMessage, { type: 'status' | 'admin' }>,
    context: Context,
  ): void {
    if (message.type === 'status') {
      const pools = [...peer.specs.values()].map((spec) => statusOf(this.#pool(spec.name), spec, context));
      return answer(peer, message.ask, { is: 'status', pools });
    }
    const spec = peer.specs.get(message.pool);
    const effects = spec && administer(this.#pool(spec.name), spec, message.action, message.name, context);
    if (effects) this.#apply(effects);
    answer(peer, message.ask, { is: 'administered', known: Boolean(effects) });
    this.#schedule();
  }

  #remember(peer: Peer, message: Extract<LinkMessage, { type: 'failed' | 'rerun' }>): void {
    if (message.type === 'rerun')
      return answer(peer, message.ask, { is: 'rerun', endedBy: endedBy(this.#reruns, message) });
    noteFailure(this.#reruns, message, message.product);
    answer(peer, message.ask, { is: 'noted' });
  }

  #probed(message: Extract<LinkMessage, { type: 'probed' }>, context: Context): void {
    const pool = this.#ports.pools.get(message.pool);
    if (!pool) return;
    const probe = pool.probes.get(message.probe);
    this.#apply(this.#probers.heard(pool, message, context));
    if (probe?.recovers) this.#sharing?.probeEnded(probe, context.now);
    this.#schedule();
  }

  async #sendProbe(probe: Probe): Promise<void> {
    const pool = this.#pool(probe.spec.name);
    const isOurs = !this.#sharing || !probe.recovers || probe.tries > 1;
    if (isOurs || (await this.#sharing?.mayProbe(pool, probe))) return this.#probers.send(pool, probe);
    probedElsewhere(pool, probe.id, this.#context());
    this.#schedule();
  }

  #leave(peer: Peer): void {
    if (!this.#peers.remove(peer)) return;
    this.#ports.tasks.dropLink(peer.link);
    const context = this.#context();
    this.#apply(this.#probers.changed(this.#ports.pools.values(), context));
    this.#apply(this.#probers.left(peer.link, context));
    for (const pool of this.#ports.pools.values()) {
      for (const lease of pool.leases.values())
        if (lease.link === peer.link) this.#leasePool.delete(lease.id);
      this.#apply(dropLink(pool, peer.link, context));
    }
    this.#tellLinks();
    this.#schedule();
  }

  #apply(effects: readonly Effect[]): void {
    for (const effect of effects) {
      if (effect.type === 'changed') this.#announce(effect.change, true);
      else if (effect.type === 'claim')
        void this.#sharing?.claim(this.#pool(effect.lease.spec.name), effect.lease, effect.slots);
      else if (effect.type === 'probe') void this.#sendProbe(effect.probe);
      else if (effect.type === 'unclaim') this.#sharing?.release(effect.lease);
      else if (effect.type === 'turn' && effect.paces.length > 0) void this.#sharing?.pace(effect);
      else if (effect.type === 'gated')
        this.#peers.send(effect.lease.link, { type: 'gated', lease: effect.lease.id });
      else if (effect.type === 'moved')
        this.#peers.send(effect.lease.link, {
          type: 'moved',
          lease: effect.lease.id,
          member: memberOf(effect.lease),
        });
      else this.#peers.send(effect.to.link, { type: 'answer', ask: effect.to.ask, answer: toAnswer(effect) });
    }
  }

  #announce(change: HealthChange, isOurs: boolean): void {
    const { subject: _, ...told } = change;
    this.#peers.tell({ ...told, seq: ++this.#sequence, broker: this.#id, at: this.#ports.now() });
    this.#ports.onChange();
    // A pause that ran out here may go on elsewhere: every machine ends it by its own clock.
    const ranOut = change.from === 'cooling' && change.to === 'healthy';
    if (isOurs && !ranOut) this.#sharing?.publish(change, this.#ports.now());
  }

  /** The shared store was lost, or is back: told as a change of every pool. */
  storeChanged(state: 'up' | 'down', why: string): void {
    this.#storeNews.clear();
    this.#storeDown = state === 'down' ? why : null;
    const [from, to] =
      state === 'down' ? (['healthy', 'ejected'] as const) : (['ejected', 'healthy'] as const);
    for (const pool of this.#ports.pools.keys()) this.#peers.tell(this.#storeTransition(pool, from, to, why));
  }

  /** One transition for a pool, whoever hears of it and when. */
  #storeTransition(pool: string, from: HealthState, to: HealthState, why: string): Transition {
    const known = this.#storeNews.get(pool);
    if (known) return known;
    const change = { pool, endpoint: null, key: null, from, to, why, until: null };
    const transition = { ...change, seq: ++this.#sequence, broker: this.#id, at: this.#ports.now() };
    this.#storeNews.set(pool, transition);
    return transition;
  }

  /** Leases that can no longer be guaranteed: their holders must stop. */
  lost(leases: readonly string[]): void {
    for (const id of leases) {
      const lease = this.#poolOf(id)?.leases.get(id);
      if (lease) this.#peers.send(lease.link, { type: 'lost', lease: id });
    }
  }

  #schedule(): void {
    clearTimeout(this.#timer);
    const now = this.#ports.now();
    const due = Math.min(...[...this.#ports.pools.values()].map((pool) => nextTick(pool, now)), Infinity);
    if (!Number.isFinite(due)) return;
    const wait = Math.min(Math.max(0, due - now), 60_000);
    this.#timer = setTimeout(() => this.#tick(), wait);
    this.#timer.unref();
  }

  #tick(): void {
    const context = this.#context();
    if (this.#ports.awaited.size === 0) {
      for (const pool of this.#ports.pools.values()) this.#apply(tick(pool, context));
    }
    this.#schedule();
  }

  #pool(name: string): PoolState {
    const known = this.#ports.pools.get(name);
    if (known) return known;
    const pool = newPoolState(name, this.#sharing !== null, this.#revisions.inForce);
    this.#ports.pools.set(name, pool);
    return pool;
  }

  #poolOf(lease: string): PoolState | undefined {
    return this.#ports.pools.get(this.#leasePool.get(lease) ?? '');
  }

  #context(): Context {
    return contextOf(this.#ports);
  }

  #tellLinks(): void {
    this.#ports.onLinks(this.#peers.processes);
  }
}
