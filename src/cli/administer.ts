import type { MemberStatus, PoolStatus } from '../core/admin.ts';
import { type BrokerStore, withStore } from './connect.ts';
import { configured, findMembers, type NamedMembers } from './members.ts';
import type { AdminAction, Reservation } from '../core/types.ts';
import { isoTime } from '../shared/format.ts';
import { operandOf } from './arguments.ts';
import { type Arguments } from './command.ts';
import { filesOf } from './load.ts';
import type { Terminal } from './terminal.ts';

/** What became of one member by a command. */
export interface Changed {
  /** POOL/NAME, to type in another command. */
  readonly target: string;
  /** The same, with its kind where an endpoint and a key share the name. */
  readonly label: string;
  readonly before: MemberStatus;
  readonly after: MemberStatus;
  /** Whose leases hold it now. */
  readonly holders: readonly string[];
  /** The configuration keeps it out of leases, whatever is done by hand. */
  readonly isOff: boolean;
}

export interface Said {
  readonly text: string;
  /** It did not come to what was asked for. */
  readonly isFinding: boolean;
}

type SaidOf = Changed & Said & Pick<NamedMembers, 'pool'>;

/**
 * Does it to the members of all the names given, waits until that is kept for later runs, and says what it came to. Where
 * one of the names is unknown nothing is done.
 */
export function administer(
  action: AdminAction,
  args: Arguments,
  terminal: Terminal,
  say: (changed: Changed) => Said,
  reservation?: Reservation,
): Promise<number> {
  operandOf(args, 'the name of an endpoint or key, such as api/ci-1');
  const targets = [...new Set(args.operands)];
  return withStore(filesOf(args), terminal, async (store) => {
    const before = await store.status();
    const found = targets.map((target) => ({ target, ...findMembers(target, store.config, before) }));
    for (const { pool, name } of found) await store.administer(action, pool, name, reservation);
    const after = await store.status();
    const said = found.flatMap((named) => saidOf(named, store, after, say));
    const isChanged = said.some((each) => JSON.stringify(each.before) !== JSON.stringify(each.after));
    const unkept = isChanged ? await store.unkept() : null;
    const isFinding = unkept !== null || said.some((each) => each.isFinding);
    const loss = unkept === null ? null : lossOf(unkept);
    if (args.flags.has('json')) terminal.print(`${JSON.stringify(jsonOf(action, said, loss), null, 2)}\n`);
    else {
      for (const each of said) (isFinding ? terminal.warn : terminal.print)(`${each.text}\n`);
      if (loss !== null) terminal.warn(`${loss}\n`);
    }
    return isFinding ? 1 : 0;
  });
}

function saidOf(
  { target, pool, name, members }: NamedMembers & { readonly target: string },
  { config }: Pick<BrokerStore, 'config'>,
  pools: readonly PoolStatus[],
  say: (changed: Changed) => Said,
): SaidOf[] {
  const now = pools.find((each) => each.name === pool);
  return members.map((before) => {
    const isSame = (other: MemberStatus): boolean => other.kind === before.kind && other.name === name;
    const holding = now?.leases.filter((lease) => lease[before.kind] === name) ?? [];
    const changed: Changed = {
      target,
      label: members.length > 1 ? `${before.kind} ${target}` : target,
      before,
      after: now?.members.find(isSame) ?? before,
      holders: holding.map(({ holder }) => holder),
      isOff: configured(config, pool, before)?.enabled === false,
    };
    return { pool, ...changed, ...say(changed) };
  });
}

/** For machines: times as ISO text, null where there is nothing to say. */
function jsonOf(action: AdminAction, said: readonly SaidOf[], loss: string | null): unknown {
  return {
    schema: 'gemba-members/1',
    action,
    ok: loss === null && !said.some(({ isFinding }) => isFinding),
    members: said.map(
      ({ pool, before, after: { kind, name, state, why, until }, holders, text, isFinding }) => ({
        pool,
        kind,
        name,
        ok: !isFinding,
        before: before.state,
        state,
        why: why || null,
        until: until === null ? null : isoTime(until),
        holders,
        note: text,
      }),
    ),
    warnings: loss === null ? [] : [loss],
  };
}

/** What the configuration does to it all the same. */
export const STAYS_OUT =
  'but the configuration says "enabled": false, so it gets no leases until that is edited.';

function lossOf(file: string): string {
  return `But that will be forgotten some seconds after the last run ends: ${file} could not be written.`;
}
