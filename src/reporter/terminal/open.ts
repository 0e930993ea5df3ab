import { spawn } from 'node:child_process';

/** Open a file in the user's browser, without waiting for it; `onFailure` hears why it could not. */
export function openFile(file: string, onFailure: (why: string) => void): void {
  const [command, ...args] = openerFor(process.platform, file);
  const options = { detached: true, stdio: 'ignore', windowsVerbatimArguments: true } as const;
  const child = spawn(command, args, options);
  child.on('error', (error) => onFailure(error.message));
  child.unref();
}

export function openerFor(platform: NodeJS.Platform, file: string): [string, ...string[]] {
  if (platform === 'darwin') return ['open', file];
  // The empty text is the window's title: `start` takes a first quoted argument for it. In quotes, an `&` of the file's
  // name begins no command of its own.
  if (platform === 'win32') return ['cmd', '/d', '/s', '/c', `"start "" "${file}""`];
  return ['xdg-open', file];
}
