import { isObject, parseJson } from '../shared/json.ts';
import { identity, secretOf } from '../shared/fingerprint.ts';
import { sessionFolder } from './folder.ts';
import { secretsOfState, type StateOfSession } from './secrets.ts';
import { type SessionOwner, SessionStore } from './store.ts';
import { parseToken, type TokenPlace, tokenOwnerIn } from './token.ts';

/** What of a configuration says whose sessions there may be. */
interface SessionOwners {
  readonly name: string;
  readonly pools: Readonly<Record<string, Pool>>;
}

interface Pool {
  readonly auth?: unknown;
  readonly endpoints: readonly { readonly url: string }[];
  readonly keys: readonly Key[];
}

interface Key {
  readonly name: string;
  readonly value?: string | undefined;
  readonly fields: Readonly<Record<string, string>>;
}

/** The sessions that a project keeps, for commands. */
export class StoredSessions {
  readonly #accounts: SessionOwners;
  readonly #store: SessionStore;

  constructor(accounts: SessionOwners, cacheFile: string, say: (line: string) => void) {
    this.#accounts = accounts;
    this.#store = new SessionStore(sessionFolder(cacheFile, {}, 0), say);
  }

  /** Forgets what is kept for a key. True where there was something. */
  forget(pool: string, name: string): boolean {
    const key = this.#accounts.pools[pool]?.keys.find((each) => each.name === name);
    return key !== undefined && this.#store.forget(identity(this.#accounts.name, key));
  }

  /** Values of all sessions and tokens that are kept: what must stand in no artifact. */
  secrets(): { readonly name: string; readonly value: string }[] {
    return [...this.#secretsOfSessions(), ...this.#tokens()];
  }

  #tokens(): { readonly name: string; readonly value: string }[] {
    const { name: project, pools } = this.#accounts;
    return Object.entries(pools).flatMap(([pool, { auth, keys }]) => {
      const place = isObject(auth) ? (auth['oauth2'] as TokenPlace | undefined) : undefined;
      if (!place) return [];
      return keys.flatMap((key) => {
        const name = `${pool}/${key.name}`;
        const text = this.#store.read(tokenOwnerIn(project, key, place, name));
        const token = text === null ? null : parseToken(text);
        return token === null ? [] : [{ name: `${name} (token)`, value: token.token }];
      });
    });
  }

  #secretsOfSessions(): { readonly name: string; readonly value: string }[] {
    return this.#owners().flatMap((owner) => {
      const text = this.#store.read(owner);
      const session = text === null ? undefined : parseJson(text);
      const state = isObject(session) ? session['state'] : undefined;
      return isState(state) ? secretsOfState(owner.name, state) : [];
    });
  }

  #owners(): SessionOwner[] {
    const { name: project, pools } = this.#accounts;
    return Object.entries(pools).flatMap(([pool, { endpoints, keys }]) =>
      keys.flatMap((key) =>
        endpoints.map(({ url }): SessionOwner => {
          const account = identity(project, key);
          const name = `${pool}/${key.name}`;
          return { kind: 'session', account, secret: secretOf(key), place: url, name };
        }),
      ),
    );
  }
}

function isState(value: unknown): value is StateOfSession {
  return isObject(value) && Array.isArray(value['cookies']) && Array.isArray(value['origins']);
}
