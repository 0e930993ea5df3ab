import { systemClock } from '../core/clock.ts';
import { LIMITS } from '../core/limits.ts';
import type { Reservation } from '../core/types.ts';
import { duration as durationSchema } from '../config/schema/fields.ts';
import { duration, moment } from '../shared/format.ts';
import { plainLine } from '../shared/sanitize.ts';
import { administer, type Changed, type Said } from './administer.ts';
import { misuse } from './arguments.ts';
import type { Arguments, Command } from './command.ts';

/** Takes members for a person: no further lease gets one until that time, or until `gemba enable`. */
export const reserve: Command = async (args, terminal) => {
  const reservation = reservationOf(args);
  return administer('reserve', args, terminal, said, reservation);
};

function reservationOf(args: Arguments): Reservation {
  const [forText, reasonText] = [args.values.get('for'), args.values.get('reason')];
  if (forText === undefined) throw misuse(args.spec, 'needs --for TIME, such as --for 2h');
  const parsed = durationSchema('more').safeParse(/^\d+$/.test(forText) ? Number(forText) : forText);
  if (!parsed.success) {
    const { message } = parsed.error.issues[0]!;
    throw misuse(args.spec, `takes no --for ${JSON.stringify(forText)}: it ${message}`);
  }
  const reason = plainLine(reasonText ?? '').trim();
  if (reason === '') throw misuse(args.spec, 'needs --reason TEXT: tests that find nothing free show it');
  if (reason.length > LIMITS.reason)
    throw misuse(args.spec, `takes a reason of at most ${LIMITS.reason} characters`);
  return { forMs: parsed.data, reason };
}

function said({ target, label, after, holders, isOff }: Changed): Said {
  if (after.state === 'disabled') {
    const text = `${label} is disabled by hand, so it was not reserved. To use it again: gemba enable ${target}`;
    return { text, isFinding: true };
  }
  const now = systemClock();
  const until = after.until ?? now;
  const end = `${moment(until, now)} UTC (in ${duration(until - now)})`;
  const lines = [`${label} is reserved until ${end}: ${after.why}.`];
  if (isOff) lines.push(`Note: the configuration says "enabled": false for it anyway.`);
  lines.push(
    after.inUse === 0
      ? `It is free now. To give it back earlier: gemba enable ${target}`
      : `${holdersText(holders, after.inUse)} it now, and may use it to the end; no further lease gets it. To give it back: gemba enable ${target}`,
  );
  return { text: lines.join('\n'), isFinding: false };
}

function holdersText(holders: readonly string[], inUse: number): string {
  if (holders.length === 0) return `${inUse === 1 ? 'A lease holds' : `${inUse} leases hold`}`;
  const named = holders.slice(0, 3).map((holder) => `"${holder}"`);
  const more = holders.length > 3 ? ` and ${holders.length - 3} more` : '';
  return `${named.join(', ')}${more} ${holders.length === 1 ? 'holds' : 'hold'}`;
}
