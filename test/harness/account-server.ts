import { randomUUID } from 'node:crypto';
import { startServer, type TestServer } from './servers.ts';

/** What an account may do at the server, and what it has seen of it. */
export interface AccountSeen {
  readonly password: string;
  signIns: number;
  /** Sessions that were alive at once, at the most. */
  mostAlive: number;
  /** A sign-in that ended a living session. */
  ended: number;
  basket: string[];
}

export interface AccountServer extends TestServer {
  readonly accounts: ReadonlyMap<string, AccountSeen>;
  /** Forgets all sessions, as a restart does. */
  forget: () => void;
  /** Faults to come: of the sign-in. */
  signInAs: 'works' | '503' | 'page again' | '401';
  /** Cookies that were given out. */
  readonly cookies: string[];
}

interface LiveSession {
  readonly user: string;
  readonly until: number;
}

/**
 * A shop that allows one session per account, of a limited life: `POST /login` (form `username`, `password`) gives a cookie and
 * redirects to `/`; without one, pages redirect to `/login` and `/api/…` answers 401.
 */
export async function startAccountServer(
  passwords: Readonly<Record<string, string>>,
  { lifeMs = Infinity, hasRoot = true }: { lifeMs?: number; hasRoot?: boolean } = {},
): Promise<AccountServer> {
  const accounts = new Map<string, AccountSeen>(
    Object.entries(passwords).map(([user, password]) => {
      return [user, { password, signIns: 0, mostAlive: 0, ended: 0, basket: [] }];
    }),
  );
  const sessions = new Map<string, LiveSession>();
  const cookies: string[] = [];
  const alive = (user: string): [string, LiveSession][] =>
    [...sessions].filter(([, session]) => session.user === user && session.until > Date.now());
  const state: Pick<AccountServer, 'signInAs'> = { signInAs: 'works' };
  const server = await startServer((seen, response) => {
    const { pathname } = new URL(seen.url, 'http://any');
    const html = (status: number, body: string, headers = {}): void => {
      response.writeHead(status, { 'content-type': 'text/html', ...headers });
      response.end(`<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,">${body}`);
    };
    const redirect = (location: string, headers = {}): void => {
      response.writeHead(303, { location, ...headers }).end();
    };
    const json = (status: number, body: unknown, headers = {}): void => {
      response.writeHead(status, { 'content-type': 'application/json', ...headers });
      response.end(JSON.stringify(body));
    };
    const page =
      '<h1>Sign in</h1><form method="post" action="/login"><input name="username" aria-label="User"><input name="password" aria-label="Password" type="password"><button>Go</button></form>';
    const form = new URLSearchParams(seen.body);
    if (pathname === '/public') return html(200, '<h1>Welcome</h1>');
    if (pathname === '/login' && seen.method === 'GET') {
      return state.signInAs === '503' ? html(503, 'down') : html(200, page);
    }
    if (pathname === '/login') {
      if (state.signInAs === '503') return html(503, 'down');
      if (state.signInAs === 'page again') return html(200, page);
      const user = form.get('username') ?? '';
      const account = accounts.get(user);
      if (!account || account.password !== form.get('password') || state.signInAs === '401')
        return html(401, page);
      for (const [id] of alive(user)) {
        sessions.delete(id);
        account.ended += 1;
      }
      const id = `sid-${randomUUID()}`;
      cookies.push(id);
      sessions.set(id, { user, until: Date.now() + lifeMs });
      account.signIns += 1;
      account.mostAlive = Math.max(account.mostAlive, alive(user).length);
      const cookie = { 'set-cookie': `sid=${id}; Path=/; HttpOnly` };
      return hasRoot ? redirect('/', cookie) : json(200, { ok: true }, cookie);
    }
    const id = /sid=([\w-]+)/.exec(seen.headers.cookie ?? '')?.[1] ?? '';
    const session = sessions.get(id);
    const user = session && session.until > Date.now() ? session.user : null;
    if (user === null)
      return pathname.startsWith('/api/') ? json(401, { error: 'signed out' }) : redirect('/login');
    const account = accounts.get(user)!;
    if (pathname === '/logout') {
      sessions.delete(id);
      return redirect('/login', { 'set-cookie': 'sid=; Path=/; Max-Age=0' });
    }
    if (pathname === '/api/quiet-logout' || pathname === '/api/buggy') {
      sessions.delete(id);
      return json(200, { ok: true });
    }
    if (pathname === '/api/never') return json(401, { error: 'never' });
    if (pathname === '/api/forbidden') return json(403, { error: 'forbidden' });
    if (pathname === '/api/basket') {
      if (seen.method === 'POST') account.basket.push(seen.body);
      if (seen.method === 'DELETE') account.basket = [];
      return json(200, { user, basket: account.basket });
    }
    if (pathname.startsWith('/api/')) return json(200, { user, path: pathname });
    return html(200, `<h1>Hello ${user}</h1><p role="status">${account.basket.length} items</p>`);
  });
  return Object.assign(state, server, { accounts, cookies, forget: () => sessions.clear() });
}
