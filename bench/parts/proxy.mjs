// The way to a server on loopback, which can be cut and made long.
import { connect, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * @param target port
 * @param delayMs of each direction
 * @returns its `port`; `cut` and `mend`: what was sent meanwhile passes later; `delay`; `close`
 */
export async function startProxy(target, delayMs = 0) {
  let isCut = false;
  const sockets = new Set();
  const pass = (from, to) => {
    let last = Promise.resolve();
    from.on('data', (chunk) => {
      const due = performance.now() + delayMs;
      last = last.then(async () => {
        if (due > performance.now()) await sleep(due - performance.now());
        while (isCut) await sleep(10);
        if (!to.destroyed) to.write(chunk);
      });
    });
    from.on('error', () => from.destroy());
    from.on('close', () => {
      sockets.delete(from);
      void last.then(() => to.destroy());
    });
  };
  const server = createServer((near) => {
    const far = connect(target, '127.0.0.1');
    for (const socket of [near, far]) sockets.add(socket.setNoDelay(true));
    pass(near, far);
    pass(far, near);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: server.address().port,
    cut: () => (isCut = true),
    mend: () => (isCut = false),
    delay: (ms) => (delayMs = ms),
    close: () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
