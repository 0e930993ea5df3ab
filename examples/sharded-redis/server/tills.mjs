// A shop's tills: each key opens one. The server logs who had which till from when to when, and tells where two had one at
// the same time.
import { createServer } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

const SALE_MS = 200;

/** `tills`: the name of each till by its key. */
export async function startTills(tills) {
  const open = new Map();
  const holds = [];

  const routes = {
    'POST /till/open': ({ till, machine }) => {
      open.set(till, []);
      holds.push({ till, machine, from: performance.now(), to: null });
      return [201, {}];
    },
    'POST /till/sales': async ({ till, body }) => {
      await sleep(SALE_MS);
      open.get(till)?.push(body.cents);
      return [201, {}];
    },
    'POST /till/close': ({ till, machine }) => {
      const hold = holds.findLast((one) => one.till === till && one.machine === machine && one.to === null);
      if (hold) hold.to = performance.now();
      const sales = open.get(till) ?? [];
      open.delete(till);
      return [200, { sales }];
    },
  };

  const answer = async (request) => {
    const till = tills.get(/^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1]);
    const route = routes[`${request.method} ${request.url}`];
    const body = await bodyOf(request);
    const seen = { till, machine: request.headers['x-machine'], body };
    if (till === undefined) return [401, { error: 'a key is needed' }];
    return route ? route(seen) : [404, { error: 'not here' }];
  };

  const server = createServer((request, response) => {
    const send = (status, body) => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    };
    answer(request).then(
      ([status, body]) => send(status, body),
      (error) => send(500, { error: String(error) }),
    );
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    holds,
    close: () =>
      new Promise((resolve) => {
        server.close(resolve);
        server.closeAllConnections();
      }),
  };
}

/** Pairs of holds of one till that were at the same time. */
export function overlapsOf(holds) {
  return holds.flatMap((one, index) =>
    holds
      .slice(index + 1)
      .filter((other) => one.till === other.till && one.from < endOf(other) && other.from < endOf(one))
      .map((other) => [one, other]),
  );
}

/** What was never closed was held to the end. */
function endOf({ to }) {
  return to ?? Infinity;
}

async function bodyOf(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return chunks.length === 0 ? {} : JSON.parse(Buffer.concat(chunks).toString('utf8'));
}
