import { counted } from '../shared/format.ts';
import { administer, type Changed, type Said } from './administer.ts';
import type { Command } from './command.ts';

/** Keeps a member out of every further lease, in later runs too. */
export const disable: Command = (args, terminal) => administer('disable', args, terminal, said);

function said({ label, after }: Changed): Said {
  const holding = counted(after.inUse, 'lease holds', 'leases hold');
  const still = after.inUse === 0 ? '' : ` ${holding} it now, and may use it to the end.`;
  return { text: `${label} is disabled until it is enabled by hand.${still}`, isFinding: false };
}
