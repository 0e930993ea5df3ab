import { readFileSync } from 'node:fs';

/** Whether a process of that id lives, of whatever user. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return isCode(error, 'EPERM');
  }
}

/** When a process started, as the system counts: with its id it names one process for good. Null where that is not known. */
export function startOf(pid: number | 'self'): string | null {
  return statOf(pid)?.[19] ?? null;
}

/** Whether a process has ended, also where nobody has taken notice of its end yet: in a container that may take for ever. */
export function hasEnded(pid: number): boolean {
  return !isAlive(pid) || statOf(pid)?.[0] === 'Z';
}

/** What Linux says of a process, from its state on; null elsewhere. */
function statOf(pid: number | 'self'): string[] | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The second field, a name in parentheses, may hold anything. What follows it begins with the third.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  } catch {
    return null;
  }
}

/** Whether it is the system's error of that code: `ENOENT`, `EEXIST`. */
export function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
