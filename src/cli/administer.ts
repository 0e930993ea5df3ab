import type { MemberStatus } from '../core/admin.ts';
import { withStore } from './connect.ts';
import { configured, findMembers } from './members.ts';
import type { AdminAction } from '../core/types.ts';
import { misuse, operandOf } from './arguments.ts';
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
  /** The configuration keeps it out of leases, whatever is done by hand. */
  readonly isOff: boolean;
}

export interface Said {
  readonly text: string;
  /** It did not come to what was asked for. */
  readonly isFinding: boolean;
}

/** Does it to the members of a name, waits until that is kept for later runs, and says what it came to. */
export function administer(
  action: AdminAction,
  args: Arguments,
  terminal: Terminal,
  say: (changed: Changed) => Said,
): Promise<number> {
  const target = operandOf(args, 'the name of an endpoint or key, such as api/ci-1');
  if (args.operands.length > 1) {
    throw misuse(args.spec, `takes one POOL/NAME at a time, not ${args.operands.join(' and ')}`);
  }
  return withStore(filesOf(args), terminal, async (store) => {
    const { config } = store;
    const { pool, name, members } = findMembers(target, config, await store.status());
    await store.administer(action, pool, name);
    const after = findMembers(target, config, await store.status()).members;
    const changes = members.map((before, index): Changed => {
      const label = members.length > 1 ? `${before.kind} ${target}` : target;
      const isOff = configured(config, pool, before)?.enabled === false;
      return { target, label, before, after: after[index] ?? before, isOff };
    });
    const isChanged = changes.some((change) => change.before.state !== change.after.state);
    const unkept = isChanged ? await store.unkept() : null;
    const said = changes.map(say);
    const isFinding = unkept !== null || said.some((each) => each.isFinding);
    for (const { text } of said) (isFinding ? terminal.warn : terminal.print)(`${text}\n`);
    if (unkept !== null) terminal.warn(`${lossOf(unkept)}\n`);
    return isFinding ? 1 : 0;
  });
}

/** What the configuration does to it all the same. */
export const STAYS_OUT =
  'but the configuration says "enabled": false, so it gets no leases until that is edited.';

function lossOf(file: string): string {
  return `But that will be forgotten some seconds after the last run ends: ${file} could not be written.`;
}
