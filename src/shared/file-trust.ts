import { lstatSync, statSync } from 'node:fs';

/**
 * Whether a file that was come upon, not named, may be used: it is the user's own, root's, or of whoever owns the folder
 * that the work is in (a checkout in a container is often another user's, as a whole). On Windows, where folders above
 * are not everybody's to write, always.
 */
export function isTrusted(file: string, folder: string): boolean {
  const own = process.getuid?.();
  if (own === undefined) return true;
  const trusted = [own, 0, statSync(folder, { throwIfNoEntry: false })?.uid];
  // Of a link, both who made it and whose the file is count.
  return [lstatSync(file), statSync(file)].every(({ uid }) => trusted.includes(uid));
}
