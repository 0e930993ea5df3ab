// A server that answers at once with a small JSON, in a process of its own so that its time is nobody's.
import { fork } from 'node:child_process';
import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';

if (process.argv[2] === 'serve') {
  const server = createServer((_request, response) => {
    response.setHeader('content-type', 'application/json');
    response.end('{"orders":[]}');
  });
  server.listen(0, '127.0.0.1', () => process.send(server.address().port));
  process.on('disconnect', () => process.exit());
}

/** Starts it; `url` is its address. */
export async function startServer() {
  const child = fork(fileURLToPath(import.meta.url), ['serve']);
  const port = await new Promise((resolve, reject) => {
    child.once('message', resolve);
    child.once('error', reject);
  });
  return { url: `http://127.0.0.1:${port}`, close: () => child.kill() };
}
