import type { KeyConfig, LoadedConfig } from './types.ts';
import { fingerprint } from '../shared/fingerprint.ts';

/** A value that must stand in no artifact, and whose it is. */
export interface Secret {
  /** POOL/NAME of the key, with the field where it is one; of other secrets, where they stand. */
  readonly name: string;
  /** How the key is shown elsewhere; null where it is no key. */
  readonly fingerprint: string | null;
  readonly value: string;
  /** Who goes with it in basic auth. */
  readonly user: string | null;
}

/** Names of fields that hold no secret: whoever logs in, not with what. */
const PUBLIC_FIELDS =
  /^(user_?(name|id)?|login|e?_?mail|name|id|account(_?(id|name))?|client_?id|tenant(_?id)?|role|region|host|url)$/i;

/** Every secret of a configuration once, in its order. */
export function secretsOf(config: LoadedConfig): Secret[] {
  const all: Secret[] = [];
  for (const [pool, { auth, keys, endpoints }] of Object.entries(config.pools)) {
    for (const key of keys) all.push(...secretsOfKey(key, auth === 'basic', pool, config.name));
    for (const { name, proxy } of endpoints) {
      if (proxy !== undefined) all.push(...secretOfUrl(proxy, `${pool}/${name} (its proxy)`));
    }
  }
  all.push(...secretOfUrl(config.store, 'store'));
  return merged(all);
}

function secretsOfKey(key: KeyConfig, isBasic: boolean, pool: string, project: string): Secret[] {
  const name = `${pool}/${key.name}`;
  const shown = fingerprint(project, key);
  const fields = Object.entries(key.fields);
  const user = fields.find(([field]) => /^(user|login|e?_?mail)/i.test(field))?.[1] ?? null;
  const value = key.value === undefined ? [] : [{ name, fingerprint: shown, value: key.value, user: null }];
  const secretFields = fields
    .filter(([field]) => !PUBLIC_FIELDS.test(field))
    .map(([field, text]) => ({ name: `${name} (${field})`, fingerprint: shown, value: text, user }));
  // The value of basic auth is user:password, and the password alone is as secret.
  const [login = '', ...rest] = isBasic ? (key.value ?? '').split(':') : [];
  const password = { name: `${name} (password)`, fingerprint: shown, value: rest.join(':'), user: login };
  return [...value, ...(rest.length > 0 ? [password] : []), ...secretFields];
}

function secretOfUrl(text: string, name: string): Secret[] {
  if (!URL.canParse(text)) return [];
  const { username, password } = new URL(text);
  if (password === '') return [];
  return [{ name, fingerprint: null, value: decoded(password), user: decoded(username) }];
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Keys that share a value are found together. */
function merged(all: readonly Secret[]): Secret[] {
  const known = new Map<string, Secret>();
  for (const secret of all) {
    if (secret.value === '') continue;
    const before = known.get(secret.value);
    const name = before && before.name !== secret.name ? `${before.name}, ${secret.name}` : secret.name;
    known.set(secret.value, { ...secret, ...before, name, user: before?.user ?? secret.user });
  }
  return [...known.values()];
}
