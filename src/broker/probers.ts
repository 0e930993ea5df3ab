import { applyProbeResult, reassignProbes, setProber } from '../core/health/probe-results.ts';
import type { Effect, Context, PoolState, Probe } from '../core/state.ts';
import { type Connection, type Connections, send } from './connections.ts';
import type { ClientMessage } from '../wire/messages.ts';

interface SentProbe {
  readonly pool: PoolState;
  /** The link that is to send it, and those that were asked before. */
  readonly clients: string[];
}

/** Which link sends the probes: links have the keys, the broker has none. One sends them all, as long as it does so. */
export class Probers {
  readonly #connections: Connections;
  readonly #sent = new Map<string, SentProbe>();
  #prober = '';

  constructor(connections: Connections) {
    this.#connections = connections;
  }

  /** Links came or went. */
  onClientsChanged(pools: Iterable<PoolState>, context: Context): Effect[] {
    return [...pools].flatMap((pool) => {
      const specs = this.#connections
        .probing(pool.name)
        .map((connection) => connection.specs.get(pool.name)!);
      // That of the revision in force, as soon as a link has told it.
      const spec = specs.findLast(({ revision }) => revision === pool.revision) ?? specs.at(-1) ?? null;
      return spec === pool.prober ? [] : setProber(pool, spec, context);
    });
  }

  /** A link is gone: another one is asked for what it was to send. */
  onClientGone(client: string, context: Context): Effect[] {
    const gone = [...this.#sent].filter(([, { clients }]) => clients.at(-1) === client);
    return gone.flatMap(([probe, { pool }]) => reassignProbes(pool, [probe], context));
  }

  send(pool: PoolState, probe: Probe): void {
    const before = this.#sent.get(probe.id)?.clients ?? [];
    const connection = this.#pick(pool, probe, before);
    this.#sent.set(probe.id, { pool, clients: [...before, connection?.client ?? ''] });
    // Without a link the probe is late in its time.
    if (!connection) return;
    this.#prober = connection.client;
    const { endpoints, keys } = connection.specs.get(pool.name)!;
    // By the names that this link has for them.
    const endpoint = endpoints.find(({ id }) => id === probe.endpoint.id)!;
    const key = keys.find(({ id }) => id === probe.key?.id) ?? null;
    send(connection, {
      type: 'probe',
      pool: pool.name,
      probe: probe.id,
      endpoint: { id: endpoint.id, name: endpoint.name },
      key: key && { id: key.id, name: key.name },
    });
  }

  onResult(pool: PoolState, result: Extract<ClientMessage, { type: 'probed' }>, context: Context): Effect[] {
    const effects = applyProbeResult(pool, result.probe, result, context);
    for (const [id, sent] of this.#sent) if (!sent.pool.probes.has(id)) this.#sent.delete(id);
    return effects;
  }

  /** The one that sent the last probe, unless it left this one lying; one whose configuration has the members. */
  #pick(pool: PoolState, { endpoint, key }: Probe, before: readonly string[]): Connection | undefined {
    const able = this.#connections.probing(pool.name).filter((connection) => {
      const spec = connection.specs.get(pool.name)!;
      const hasKey = key === null || spec.keys.some(({ id }) => id === key.id);
      return hasKey && spec.endpoints.some(({ id }) => id === endpoint.id);
    });
    const fresh = able.filter(({ client }) => !before.includes(client));
    return fresh.find(({ client }) => client === this.#prober) ?? fresh[0] ?? able[0];
  }
}
