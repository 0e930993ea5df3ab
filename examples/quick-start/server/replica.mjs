// One replica of the orders service: a real HTTP server that asks for API keys and can go down and come back.
import { createServer } from 'node:http';
import { Refusal } from './orders.mjs';
import { newOrderPage, ordersPage } from './pages.mjs';

/**
 * `keys` maps each key to { owner, revoked, readsPerSecond }: a revoked one gets 401, one with a rate gets 429 for
 * reads above it.
 * Further keys are unknown and get 401 too.
 */
export async function startReplica({ name, orders, keys, latencyMs, onRequest = () => {} }) {
  const server = createServer((request, response) => {
    onRequest();
    setTimeout(() => void answer({ name, orders, keys, request, response }), latencyMs);
  });
  await listen(server, 0);
  const { port } = server.address();
  return {
    name,
    url: `http://127.0.0.1:${port}`,
    /** Connections are refused from here on. */
    goDown: () =>
      new Promise((resolve) => {
        server.close(resolve);
        server.closeAllConnections();
      }),
    comeBack: () => listen(server, port),
  };
}

function listen(server, port) {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      server.off('error', reject);
      resolve();
    });
  });
}

async function answer({ name, orders, keys, request, response }) {
  const send = (status, body, headers = {}) => {
    const html = typeof body === 'string' && body.startsWith('<');
    const type = html ? 'text/html' : typeof body === 'string' ? 'text/csv' : 'application/json';
    response.writeHead(status, { 'content-type': `${type}; charset=utf-8`, 'x-replica': name, ...headers });
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  };
  try {
    const body = await bodyOf(request);
    authorize(keys, request);
    const { pathname, searchParams } = new URL(request.url, 'http://any');
    const route = `${request.method} ${pathname.replace(/\/o-\d+/, '/ID')}`;
    const [status, result] = respond(route, { orders, pathname, query: searchParams, body });
    send(status, result);
  } catch (error) {
    if (error instanceof Refusal) return send(error.status, error.body, error.headers);
    send(500, { error: String(error) });
  }
}

function respond(route, { orders, pathname, query, body }) {
  const id = pathname.split('/')[2];
  if (route.startsWith('GET /products/')) return [200, orders.product(id)];
  if (route.startsWith('GET /orders/') && pathname !== '/orders/export') return [200, orders.read(id)];
  switch (route) {
    case 'GET /healthz':
      return [200, { status: 'ok' }];
    case 'GET /products':
      return [200, orders.products(query.get('category'))];
    case 'GET /orders':
      return [200, orders.list(query)];
    case 'GET /orders/export':
      return [200, orders.csv()];
    case 'POST /orders':
      return [201, orders.create(body)];
    case 'PATCH /orders/ID':
      return [200, orders.update(id, body)];
    case 'POST /orders/ID/cancel':
      return [200, orders.cancel(id)];
    case 'DELETE /orders/ID':
      throw new Refusal(403, 'only an administrator may delete orders');
    case 'GET /revenue':
      throw new Refusal(403, 'only an administrator may see the revenue');
    case 'POST /login':
      if (body.password !== 'correct horse') throw new Refusal(401, 'wrong user name or password');
      return [200, { user: body.user }];
    case 'GET /shop/orders':
      return [200, ordersPage(orders.list(query))];
    case 'GET /shop/new':
      return [200, newOrderPage(orders.products())];
    default:
      throw new Refusal(404, `nothing at ${pathname}`);
  }
}

function authorize(keys, request) {
  const value = /^Bearer (.+)$/i.exec(request.headers.authorization ?? '')?.[1];
  if (value === undefined) throw new Refusal(401, 'an API key is needed');
  const key = keys[value];
  if (!key || key.revoked) throw new Refusal(401, key ? 'this API key was revoked' : 'unknown API key');
  if (key.readsPerSecond === undefined || request.method !== 'GET') return;
  const now = Date.now();
  key.seen = (key.seen ?? []).filter((at) => now - at < 1000);
  if (key.seen.length >= key.readsPerSecond) {
    const refusal = new Refusal(429, 'too many requests with this API key');
    refusal.headers = { 'retry-after': '1' };
    throw refusal;
  }
  key.seen.push(now);
}

async function bodyOf(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  if (chunks.length === 0) return {};
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'));
  } catch {
    throw new Refusal(400, 'the body is not JSON');
  }
}
