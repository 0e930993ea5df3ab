// A small shop that one signs in to by an API or by a form. Its API breaks after some tests and recovers later.
import { createServer } from 'node:http';
import { randomUUID } from 'node:crypto';

/** The API is broken from this many sign-ins on, and works again from the second number on. */
const BREAKS_AT = 16;
const RECOVERS_AT = 32;

/** Starts the shop. `diary` tells each try to sign in: `a` by the API, `x` where that failed, `f` by the form. */
export async function startShop() {
  const sessions = new Map();
  const diary = [];
  const signedIn = () => diary.filter((entry) => entry !== 'x').length;
  const isBroken = () => signedIn() >= BREAKS_AT && signedIn() < RECOVERS_AT;

  const open = (response, user, way) => {
    const session = randomUUID();
    sessions.set(session, user);
    diary.push(way);
    response.setHeader('set-cookie', `session=${session}; Path=/; HttpOnly`);
  };

  const routes = {
    'POST /api/sign-in': async (request, response) => {
      if (isBroken()) {
        diary.push('x');
        return send(response, 503, 'application/json', '{"error":"no answer from the user service"}');
      }
      const { user, password } = JSON.parse(await bodyOf(request));
      if (password !== 'lovelace') return send(response, 401, 'application/json', '{"error":"who?"}');
      open(response, user, 'a');
      send(response, 200, 'application/json', '{}');
    },
    'GET /sign-in': (_request, response) => page(response, 'Sign in', FORM),
    'POST /sign-in': async (request, response) => {
      const form = new URLSearchParams(await bodyOf(request));
      if (form.get('password') !== 'lovelace') return page(response, 'Sign in', FORM, 401);
      open(response, form.get('user'), 'f');
      response.writeHead(303, { location: '/account' }).end();
    },
    'GET /account': (request, response) => page(response, `Account of ${userOf(request, sessions)}`),
  };

  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://any');
    const order = /^\/orders\/(\d+)$/.exec(pathname)?.[1];
    if (order !== undefined) return page(response, `Order ${order} of ${userOf(request, sessions)}`);
    const route = routes[`${request.method} ${pathname}`];
    if (!route) return page(response, 'Not here', '', 404);
    Promise.resolve(route(request, response)).catch(() => page(response, 'Broken', '', 500));
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    diary: () => diary.join(''),
    close: () => server.closeAllConnections() ?? server.close(),
  };
}

const FORM = `<form method="post" action="/sign-in">
  <label>Name <input name="user"></label>
  <label>Password <input name="password" type="password"></label>
  <button>Sign in</button>
</form>`;

function userOf(request, sessions) {
  const session = /session=([\w-]+)/.exec(request.headers.cookie ?? '')?.[1];
  return sessions.get(session) ?? 'nobody';
}

function page(response, title, body = '', status = 200) {
  const html = `<!doctype html><html lang="en"><meta charset="utf-8"><title>${title}</title>
    <link rel="icon" href="data:,"><body><h1>${title}</h1>${body}</body></html>`;
  send(response, status, 'text/html', html);
}

function send(response, status, type, body) {
  response.writeHead(status, { 'content-type': type }).end(body);
}

async function bodyOf(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}
