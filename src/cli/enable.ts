import { isUnavailable } from '../core/health/states.ts';
import { administer, type Changed, type Said, STAYS_OUT } from './administer.ts';
import type { Command } from './command.ts';

/** Ends a disablement by hand, or a reservation before its time. */
export const enable: Command = (args, terminal) => administer('enable', args, terminal, said);

function said({ target, label, before, after, isOff }: Changed): Said {
  if (before.state === 'reserved') return givenBack(target, label, after, isOff);
  const was = before.state === 'disabled' ? 'is no longer disabled by hand' : 'was not disabled by hand';
  if (isOff) return { text: `${label} ${was}, ${STAYS_OUT}`, isFinding: true };
  if (isUnavailable(after.state)) {
    const why = after.why === '' ? '' : ` (${after.why})`;
    const text = `${label} ${was}, but it is ${after.state}${why}. To use it at once: gemba reset ${target}`;
    return { text, isFinding: true };
  }
  return {
    text:
      before.state === 'disabled' ? `${label} is enabled again.` : `${label} ${was}: it is in use as before.`,
    isFinding: false,
  };
}

function givenBack(target: string, label: string, after: Changed['after'], isOff: boolean): Said {
  const ended = `${label} is no longer reserved`;
  if (isOff) return { text: `${ended}, ${STAYS_OUT}`, isFinding: true };
  if (!isUnavailable(after.state)) return { text: `${ended}: tests use it again.`, isFinding: false };
  const why = after.why === '' ? '' : ` (${after.why})`;
  return {
    text: `${ended}, but it is ${after.state}${why}. To use it at once: gemba reset ${target}`,
    isFinding: true,
  };
}
