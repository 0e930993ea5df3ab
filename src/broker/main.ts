import * as modules from 'node:module';
import type { Socket } from 'node:net';
import { Listener } from './listener.ts';
import { forgetErrors } from './errors-file.ts';

/**
 * The broker's process. Arguments: the cache file, a seed or nothing, the config file or nothing, the names of the project.
 *
 * Where another broker has a name, this one ends: what it is made of is loaded after that, since it takes longer than all
 * else.
 */

const [cacheFile = '', seed = '', configFile = '', ...projects] = process.argv.slice(2);

// What it printed is for those that it left unexpectedly.
process.once('exit', (code) => {
  if (code === 0) forgetErrors(projects);
});
void start();

async function start(): Promise<void> {
  // Connections that come while the broker is loaded: what they say waits in their sockets.
  const early: [Socket, string][] = [];
  const listener = new Listener({
    onConnection: (socket, project) => {
      socket.on('error', () => socket.destroy());
      early.push([socket, project]);
    },
    onReplaced: () => listener.close(),
  });
  if (!(await listener.take(projects))) return listener.close();
  // Node.js 22.1 and later keep compiled code for the next start.
  (modules as { enableCompileCache?: () => unknown }).enableCompileCache?.();
  const { run } = await import('./run.ts');
  run(listener, early, { cacheFile, seed, configFile });
}
