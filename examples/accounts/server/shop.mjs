// A shop that tolerates one session per account, and one basket. A second sign-in ends the first session, a second
// basket is refused; both are noted as violations.
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { adminPage, basketPage, frontPage, signInPage } from './pages.mjs';

const PRICES = { tea: 450, coffee: 900, mug: 1200 };

/** `accounts`: { role, password } by user name. */
export async function startShop(accounts) {
  const sessions = new Map();
  const baskets = new Map();
  const violations = [];
  const counts = { signIns: 0, baskets: 0, atOnce: 0 };

  const routes = {
    'GET /sign-in': ({ response }) => html(response, 200, signInPage()),
    'POST /sign-in': ({ form, response }) => {
      const user = form.get('username');
      const account = accounts[user];
      if (account === undefined || account.password !== form.get('password'))
        return html(response, 401, signInPage('Wrong user name or password'));
      for (const [id, other] of sessions) {
        if (other !== user) continue;
        sessions.delete(id);
        violations.push(`${user} signed in a second time, which ended the first session`);
      }
      const id = randomUUID();
      sessions.set(id, user);
      counts.signIns += 1;
      response.setHeader('set-cookie', `session=${id}; Path=/; HttpOnly`);
      redirect(response, '/');
    },
    'GET /': ({ user, response }) => html(response, 200, frontPage(user, PRICES)),
    'GET /basket': ({ user, response }) => {
      const basket = baskets.get(user);
      return basket ? html(response, 200, basketPage(basket, PRICES)) : redirect(response, '/');
    },
    'POST /basket': ({ user, response }) => {
      if (baskets.has(user)) {
        violations.push(`${user} began a second basket while another test had one`);
        return text(response, 409, 'this account has a basket already');
      }
      baskets.set(user, []);
      counts.baskets += 1;
      counts.atOnce = Math.max(counts.atOnce, baskets.size);
      redirect(response, '/basket');
    },
    'POST /basket/items': ({ user, form, response }) => {
      baskets.get(user)?.push(form.get('item'));
      redirect(response, '/basket');
    },
    'DELETE /basket': ({ user, response }) => {
      baskets.delete(user);
      text(response, 200, 'empty');
    },
    'POST /basket/order': ({ user, response }) => {
      const items = baskets.get(user) ?? [];
      baskets.delete(user);
      text(response, 200, `Ordered ${items.length} of ${items.join(', ')}`);
    },
    'GET /revenue': ({ account, response }) =>
      account.role === 'admin' ? html(response, 200, adminPage()) : text(response, 403, 'for administrators'),
  };

  const answer = async (request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://any');
    const route = routes[`${request.method} ${pathname}`];
    if (!route) return text(response, 404, 'not here');
    const form = new URLSearchParams(await bodyOf(request));
    const session = /session=([\w-]+)/.exec(request.headers.cookie ?? '')?.[1];
    const user = sessions.get(session);
    if (user === undefined && pathname !== '/sign-in') return redirect(response, '/sign-in');
    await route({ user, account: accounts[user], form, response });
  };

  const server = createServer((request, response) => {
    answer(request, response).catch((error) => text(response, 500, String(error)));
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));

  return {
    url: `http://127.0.0.1:${server.address().port}`,
    violations,
    told: () =>
      `The shop saw ${counts.signIns} sign-ins for ${Object.keys(accounts).length} accounts, ${counts.baskets} baskets ` +
      `(at most ${counts.atOnce} at once), and ${violations.length} violations.`,
    close: () =>
      new Promise((resolve) => {
        server.close(resolve);
        server.closeAllConnections();
      }),
  };
}

function html(response, status, body) {
  response.writeHead(status, { 'content-type': 'text/html; charset=utf-8' }).end(body);
}

function text(response, status, body) {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' }).end(body);
}

function redirect(response, location) {
  response.writeHead(303, { location }).end();
}

async function bodyOf(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}
