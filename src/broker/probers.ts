import { applyProbeResult, reassignProbes, setProber } from '../core/health/probe-results.ts';
import type { Effect } from '../core/pool.ts';
import type { Context, PoolState, Probe } from '../core/state.ts';
import { type Peer, type Peers, send } from './connections.ts';
import type { LinkMessage } from '../wire/messages.ts';

interface Sent {
  readonly pool: PoolState;
  /** The link that is to send it, and those that were asked before. */
  readonly links: string[];
}

/** Which link sends the probes: links have the keys, the broker has none. One sends them all, as long as it does so. */
export class Probers {
  readonly #peers: Peers;
  readonly #sent = new Map<string, Sent>();
  #prober = '';

  constructor(peers: Peers) {
    this.#peers = peers;
  }

  /** Links came or went. */
  onClientsChanged(pools: Iterable<PoolState>, context: Context): Effect[] {
    return [...pools].flatMap((pool) => {
      const specs = this.#peers.probing(pool.name).map((peer) => peer.specs.get(pool.name)!);
      // That of the revision in force, as soon as a link has told it.
      const spec = specs.findLast(({ revision }) => revision === pool.revision) ?? specs.at(-1) ?? null;
      return spec === pool.prober ? [] : setProber(pool, spec, context);
    });
  }

  /** A link is gone: another one is asked for what it was to send. */
  onClientGone(link: string, context: Context): Effect[] {
    const gone = [...this.#sent].filter(([, { links }]) => links.at(-1) === link);
    return gone.flatMap(([probe, { pool }]) => reassignProbes(pool, [probe], context));
  }

  send(pool: PoolState, probe: Probe): void {
    const before = this.#sent.get(probe.id)?.links ?? [];
    const peer = this.#pick(pool, probe, before);
    this.#sent.set(probe.id, { pool, links: [...before, peer?.link ?? ''] });
    // Without a link the probe is late in its time.
    if (!peer) return;
    this.#prober = peer.link;
    const { endpoints, keys } = peer.specs.get(pool.name)!;
    // By the names that this link has for them.
    const endpoint = endpoints.find(({ id }) => id === probe.endpoint.id)!;
    const key = keys.find(({ id }) => id === probe.key?.id) ?? null;
    send(peer, {
      type: 'probe',
      pool: pool.name,
      probe: probe.id,
      endpoint: { id: endpoint.id, name: endpoint.name },
      key: key && { id: key.id, name: key.name },
    });
  }

  onResult(pool: PoolState, result: Extract<LinkMessage, { type: 'probed' }>, context: Context): Effect[] {
    const effects = applyProbeResult(pool, result.probe, result, context);
    for (const [id, sent] of this.#sent) if (!sent.pool.probes.has(id)) this.#sent.delete(id);
    return effects;
  }

  /** The one that sent the last probe, unless it left this one lying; one whose configuration has the members. */
  #pick(pool: PoolState, { endpoint, key }: Probe, before: readonly string[]): Peer | undefined {
    const able = this.#peers.probing(pool.name).filter((peer) => {
      const spec = peer.specs.get(pool.name)!;
      const hasKey = key === null || spec.keys.some(({ id }) => id === key.id);
      return hasKey && spec.endpoints.some(({ id }) => id === endpoint.id);
    });
    const fresh = able.filter(({ link }) => !before.includes(link));
    return fresh.find(({ link }) => link === this.#prober) ?? fresh[0] ?? able[0];
  }
}
