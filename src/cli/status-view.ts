import type { LoadedConfig } from '../config/types.ts';
import type { LeaseStatus, MemberStatus, PoolStatus } from '../core/admin.ts';
import type { ConfigState, HealthState } from '../core/types.ts';
import { counted, duration, isoTime, moment } from '../shared/format.ts';
import { withoutLogins } from '../shared/redact.ts';
import { configured } from './members.ts';
import { type Cell, table } from './table.ts';

export interface StatusView {
  readonly config: LoadedConfig;
  readonly pools: readonly PoolStatus[];
  /** Null where nothing follows the file. */
  readonly state: Pick<ConfigState, 'at' | 'errors'> | null;
  /** What is to be put right about a shared store. */
  readonly notices: readonly string[];
  /** The name of this machine. */
  readonly machine: string;
  readonly now: number;
  readonly colours: boolean;
}

const COLOURS: Readonly<Record<HealthState, number>> = {
  healthy: 32,
  cooling: 33,
  'half-open': 33,
  ejected: 31,
  quarantined: 31,
  exhausted: 31,
  dirty: 33,
  reserved: 36,
  disabled: 35,
};
const INDENT = '  ';
const OFF = '"enabled": false in the configuration';
const DRAINED = '"weight": 0 in the configuration: no new leases';

/** The store's answer with what only the configuration says: members that it keeps out of every lease. */
export function withConfig(config: LoadedConfig, pools: readonly PoolStatus[]): PoolStatus[] {
  return pools.map((pool) => ({
    ...pool,
    members: pool.members.map((member): MemberStatus => {
      const own = configured(config, pool.name, member);
      if (own?.enabled === false) return { ...member, state: 'disabled', why: OFF, until: null };
      return member.why === '' && own?.weight === 0 ? { ...member, why: DRAINED } : member;
    }),
  }));
}

/** For machines: times as ISO text, spans in milliseconds, null where there is nothing to say. */
export function statusJson({
  config,
  pools,
  state,
  notices,
  machine,
}: Pick<StatusView, 'config' | 'pools' | 'state' | 'notices' | 'machine'>): unknown {
  return {
    schema: 'gemba-status/1',
    config: config.path,
    store: withoutLogins(config.store),
    configRevision: config.revision,
    configErrors: state?.errors ?? [],
    notices,
    machine,
    pools: pools.map(({ name, members, leases, waiting }) => ({
      name,
      members: members.map(({ kind, name: member, state, why, until, inUse, limit }) => {
        const end = until === null ? null : isoTime(until);
        return { kind, name: member, state, why: why || null, until: end, inUse, limit };
      }),
      leases: leases.map(({ holder, endpoint, key, heldMs, ...where }) => {
        return { holder, endpoint, key, heldMs, ...placeOf(where, machine) };
      }),
      waiting: waiting.map(({ holder, waitedMs, ...where }) => {
        return { holder, waitedMs, ...placeOf(where, machine) };
      }),
    })),
    skipped: Object.entries(config.skipped).map(([name, why]) => ({ name, why })),
  };
}

/** Where a holder is, and since when. */
function placeOf(
  { machine, pid, since }: Pick<LeaseStatus, 'machine' | 'pid' | 'since'>,
  here: string,
): { readonly machine: string; readonly pid: number | null; readonly since: string } {
  return { machine: machine ?? here, pid, since: isoTime(since) };
}

/** For people. */
export function statusText(view: StatusView): string {
  const { config, pools } = view;
  const left = Object.entries(config.skipped).map(
    ([name, why]) => `\nPool ${name}: left out for now, ${why}\n`,
  );
  const shown = pools.map((pool) => `\nPool ${pool.name}\n${poolText(pool, view)}`);
  const head = `Configuration ${config.path}, store ${withoutLogins(config.store)}\nRevision ${config.revision} is in force`;
  const notices = view.notices.map((notice) => `Warning: ${notice}\n`);
  return [head, refusalOf(view), ...notices, ...shown, ...left].join('');
}

function refusalOf({ state, now }: StatusView): string {
  if (!state || state.errors.length === 0) return '\n';
  const lines = state.errors.map((error) => `${INDENT}${error}\n`);
  return `; since ${moment(state.at, now)} UTC the file is not:\n${lines.join('')}`;
}

function poolText(pool: PoolStatus, view: StatusView): string {
  return `${membersText(pool, view)}\n${leasesText(pool, view)}${waitingText(pool, view)}`;
}

function membersText(pool: PoolStatus, { config, now, colours }: StatusView): string {
  const rows = pool.members.map((member): (string | Cell)[] => {
    const { kind, name, state, inUse, limit, why } = member;
    const used = limit === null ? String(inUse) : `${inUse} of ${limit}`;
    const isOff = configured(config, pool.name, member)?.enabled === false;
    return [kind, name, { text: state, colour: COLOURS[state] }, endOf(member, isOff, now), used, why];
  });
  const head = ['kind', 'name', 'state', 'until', 'in use', 'why'];
  return table(head, rows, { indent: INDENT, colours });
}

/** What ends the member's state. */
function endOf({ state, until }: MemberStatus, isOff: boolean, now: number): string {
  if (until !== null && until <= now) return 'now';
  if (until !== null) return `${moment(until, now)} UTC, in ${duration(until - now)}`;
  if (state === 'half-open') return 'its next call';
  if (state === 'quarantined') return 'gemba reset';
  if (state === 'disabled') return isOff ? 'an edit' : 'gemba enable';
  return '';
}

function leasesText({ leases }: PoolStatus, { now, machine: here }: StatusView): string {
  if (leases.length === 0) return `${INDENT}Nothing is held.\n`;
  const rows = byMachine(leases, here).map(({ holder, endpoint, key, since, heldMs, ...where }) => {
    const member = [endpoint, key].filter((name) => name !== null).join(' with ');
    // Of a lost machine nobody knows since when.
    const held = where.pid === null && heldMs === 0 ? '' : duration(heldMs);
    const from = held === '' ? '' : `${moment(since, now)} UTC`;
    return [member || 'moving to another', held, from, processOf(where, here), holder];
  });
  const title = `${INDENT}${counted(leases.length, 'lease')} now\n`;
  return `${title}${table(['member', 'held for', 'since', 'process', 'by'], rows, { indent: INDENT })}\n`;
}

function waitingText({ waiting }: PoolStatus, { machine: here }: StatusView): string {
  if (waiting.length === 0) return `${INDENT}Nobody waits.\n`;
  const rows = byMachine(waiting, here).map(({ holder, waitedMs, ...where }) => {
    return [duration(waitedMs), processOf(where, here), holder];
  });
  const title = `${INDENT}${counted(waiting.length, 'test waits', 'tests wait')}\n`;
  return title + table(['waited for', 'process', 'by'], rows, { indent: INDENT });
}

/** This machine's first, then the others' by name. */
function byMachine<T extends Pick<LeaseStatus, 'machine'>>(all: readonly T[], here: string): T[] {
  const place = ({ machine }: T): string => (machine === null ? '' : `${machine === here ? 0 : 1}${machine}`);
  return all.toSorted((one, other) => (place(one) < place(other) ? -1 : Number(place(one) > place(other))));
}

/** `4711`, `4711 on build-2` */
function processOf({ machine, pid }: Pick<LeaseStatus, 'machine' | 'pid'>, here: string): string {
  if (machine === null) return pid === null ? '' : String(pid);
  const name = machine === here ? `${machine} (another folder)` : machine;
  return pid === null ? name : `${pid} on ${name}`;
}
