import { spawn } from 'node:child_process';

/** Open a file in the user's browser, without waiting for it; `onFailure` hears why it could not. */
export function openFile(file: string, onFailure: (why: string) => void): void {
  const [command, ...args] = openerFor(process.platform, file);
  const child = spawn(command, args, { detached: true, stdio: 'ignore' });
  child.on('error', (error) => onFailure(error.message));
  child.unref();
}

export function openerFor(platform: NodeJS.Platform, file: string): [string, ...string[]] {
  if (platform === 'darwin') return ['open', file];
  // The empty text is the window's title: `start` takes a first quoted argument for it.
  if (platform === 'win32') return ['cmd', '/c', 'start', '', file];
  return ['xdg-open', file];
}
