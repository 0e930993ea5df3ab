import { administer, type Changed, type Said, STAYS_OUT } from './administer.ts';
import type { Command } from './command.ts';

/** Ends a pause, an ejection, a quarantine or an exhausted quota; not a disablement by hand. */
export const reset: Command = (args, terminal) => administer('reset', args, terminal, said);

function said({ target, label, before, after, isOff }: Changed): Said {
  if (before.state === 'disabled') {
    const text = `${label} was disabled by hand and stays so. To use it again: gemba enable ${target}`;
    return { text, isFinding: true };
  }
  if (after.state === 'reserved') {
    const text = `${label} was reset, and stays reserved (${after.why}). To end that: gemba enable ${target}`;
    return { text, isFinding: false };
  }
  if (isOff) return { text: `${label} was reset, ${STAYS_OUT}`, isFinding: true };
  const again = before.state === 'healthy' ? '' : ' again';
  return { text: `${label} is healthy${again}, and its faults so far are forgotten.`, isFinding: false };
}
