import { spawn } from 'node:child_process';

/** Opens a file in the user's browser, without waiting for it. */
export function openFile(file: string, onFailure: (why: string) => void): void {
  const [command, ...args] = openerFor(process.platform, file);
  const options = { detached: true, stdio: 'ignore', windowsVerbatimArguments: true } as const;
  const child = spawn(command, args, options);
  child.on('error', (error) => onFailure(error.message));
  child.unref();
}

export function openerFor(platform: NodeJS.Platform, file: string): [string, ...string[]] {
  if (platform === 'darwin') return ['open', file];
  // `start` takes the first quoted argument as the window's title, which is empty here. In quotes, an `&` in the file's name
  // does not begin a command.
  if (platform === 'win32') return ['cmd', '/d', '/s', '/c', `"start "" "${file}""`];
  return ['xdg-open', file];
}
