import { connect, createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

export interface TestProxy {
  readonly port: number;
  /** No byte passes while it is cut; those that were sent meanwhile pass later. */
  cut: () => void;
  mend: () => void;
  close: () => void;
}

/** The way to a port on loopback, each direction of which takes so long. */
export async function startProxy(target: number, delayMs = 0): Promise<TestProxy> {
  let isCut = false;
  const sockets = new Set<Socket>();
  const pass = (from: Socket, to: Socket): void => {
    let last = Promise.resolve();
    from.on('data', (chunk) => {
      const due = performance.now() + delayMs;
      last = last.then(async () => {
        await sleep(Math.max(0, due - performance.now()));
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
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return {
    port: typeof address === 'object' && address ? address.port : 0,
    cut: () => void (isCut = true),
    mend: () => void (isCut = false),
    close: () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
