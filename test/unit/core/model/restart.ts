import { restoreLease } from '../../../../src/core/pool.ts';
import { memberStateOf } from '../../../../src/core/members.ts';
import { World } from '../world.ts';
import type { ClientLease } from './clients.ts';
import type { Acting } from './events.ts';

/** The broker is lost. The next one knows the health, or not, and hears what is held. */
export function restart(acting: Acting): World {
  const { pool: lost, spec, now } = acting.world;
  const known = acting.dice.chance(0.5) ? [...lost.members.values()] : [];
  const world = new World(spec);
  world.now = now;
  acting.world = world;
  for (const old of known) {
    const health = old.health.state === 'half-open' ? { ...old.health, probe: null } : old.health;
    const { ejections, ejectedAt } = old;
    Object.assign(memberStateOf(world.pool, old.kind, old, world.context), { health, ejections, ejectedAt });
  }
  for (const lease of acting.clients.leases.values()) tellHeld(acting, lease);
  return world;
}

/** A lease that is about to leave its member claims none; and a new broker has to say anew that a lease is free. */
function tellHeld({ world, clients, specs }: Acting, lease: ClientLease): void {
  const { id, client, need, onlyEndpoint, testId, endpoint, key } = lease;
  lease.fastPath = false;
  lease.homeless ||= clients.about(id).some(({ kind }) => kind !== 'permit');
  const member = lease.homeless ? { endpoint: null, key: null } : { endpoint, key };
  const held = { id, client, spec: specs.get(client)!, need, onlyEndpoint, holder: id, testId };
  restoreLease(world.pool, held, member, world.context);
}
