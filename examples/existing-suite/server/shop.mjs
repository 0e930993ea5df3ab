// The product under test: a shop that one signs in to. It listens at PORT.
import { createServer } from 'node:http';

const PRODUCTS = new Map(Object.entries({ tea: 450, coffee: 900, mug: 1200 }));
const carts = new Map();
let stockIsRead = false;

const routes = {
  'GET /': ({ user, response }) => page(response, 'Shop', greeting(user) + list()),
  'GET /sign-in': ({ response }) => page(response, 'Sign in', SIGN_IN),
  'POST /sign-in': ({ form, response }) => {
    if (form.get('password') !== 'lovelace') return page(response, 'Sign in', SIGN_IN, 401);
    const cookie = `user=${form.get('user')}; Path=/; HttpOnly`;
    response.writeHead(303, { location: '/', 'set-cookie': cookie }).end();
  },
  'GET /cart': ({ user, response }) => page(response, 'Cart', cartOf(user)),
  'POST /cart': ({ user, form, response }) => {
    carts.set(user, [...(carts.get(user) ?? []), form.get('product')]);
    response.writeHead(303, { location: '/cart' }).end();
  },
  'POST /order': ({ user, response }) => {
    const products = carts.get(user) ?? [];
    carts.delete(user);
    page(response, 'Thank you', `<p role="status">You ordered ${products.join(', ')}</p>`);
  },
  'GET /api/products': ({ response }) => json(response, 200, Object.fromEntries(PRODUCTS)),
  'POST /api/products': ({ body, response }) => {
    const { name, cents } = JSON.parse(body);
    if (!Number.isInteger(cents)) return json(response, 422, { error: 'cents is a whole number' });
    PRODUCTS.set(name, cents);
    json(response, 201, { name, cents });
  },
  'GET /api/me': ({ user, response }) =>
    user === undefined ? json(response, 401, { error: 'who are you?' }) : json(response, 200, { user }),
  // Broken when it is read for the first time.
  'GET /api/stock': ({ response }) => {
    const status = stockIsRead ? 200 : 503;
    stockIsRead = true;
    json(response, status, status === 200 ? { tea: 4 } : { error: 'the warehouse does not answer' });
  },
};

async function answer(request, response) {
  const { pathname } = new URL(request.url ?? '/', 'http://any');
  const route = routes[`${request.method} ${pathname}`];
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const body = Buffer.concat(chunks).toString('utf8');
  const user = /user=(\w+)/.exec(request.headers.cookie ?? '')?.[1];
  if (!route) return json(response, 404, { error: `nothing at ${pathname}` });
  route({ user, body, form: new URLSearchParams(body), response });
}

const server = createServer((request, response) => {
  answer(request, response).catch((error) => json(response, 500, { error: String(error) }));
});
server.listen(Number(process.env.PORT), '127.0.0.1');

const SIGN_IN = `<form method="post" action="/sign-in">
  <label>Name <input name="user"></label>
  <label>Password <input name="password" type="password"></label>
  <button>Sign in</button>
</form>`;

function greeting(user) {
  return user === undefined ? '<a href="/sign-in">Sign in</a>' : `<p role="status">Hello, ${user}</p>`;
}

function list() {
  const items = [...PRODUCTS.keys()].map(
    (name) => `<button name="product" value="${name}">Add ${name}</button>`,
  );
  return `<form method="post" action="/cart">${items.join('')}</form>`;
}

function cartOf(user) {
  const items = (carts.get(user) ?? []).map((product) => `<li>${product}</li>`);
  return `<ul>${items.join('')}</ul><form method="post" action="/order"><button>Order</button></form>`;
}

function page(response, title, body, status = 200) {
  const html = `<!doctype html><html lang="en"><meta charset="utf-8"><title>${title}</title>
    <link rel="icon" href="data:,"><body><h1>${title}</h1>${body}</body></html>`;
  response.writeHead(status, { 'content-type': 'text/html; charset=utf-8' }).end(html);
}

function json(response, status, body) {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
