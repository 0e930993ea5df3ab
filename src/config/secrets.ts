import { fingerprint } from '../shared/fingerprint.ts';
import { projectName } from './find.ts';
import { asObject, items, textOf, type Loose } from './json.ts';
import { roughFiles } from './rough.ts';
import { parseTotp } from './totp.ts';
import { isResolved } from './variables.ts';
import type { Env } from '../shared/env.ts';

/** A value that must stand in no artifact, and whose it is. */
export interface Secret {
  /** POOL/NAME of the key, with the field where it is one; of other secrets, where they stand. */
  readonly name: string;
  /** How the key is shown elsewhere; null where it is no key. */
  readonly fingerprint: string | null;
  readonly value: string;
  /** The user of basic auth that goes with it. */
  readonly user: string | null;
}

/** What of a configuration holds secrets. */
interface SecretSource {
  readonly name: string;
  readonly store: string;
  readonly pools: Readonly<Record<string, SecretPool>>;
}

interface SecretPool {
  readonly auth: unknown;
  readonly keys: readonly SecretKey[];
  readonly endpoints: readonly SecretEndpoint[];
}

interface SecretKey {
  readonly name: string;
  readonly value?: string | undefined;
  readonly fields: Readonly<Record<string, string>>;
  readonly totp?: string | undefined;
}

interface SecretEndpoint {
  readonly name: string;
  readonly proxy?: string | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

/** Fields of a key that say who signs in, not with what. */
const PUBLIC_FIELDS: ReadonlySet<string> = new Set(['username', 'email']);
const USER_FIELD = /^(user|login|e?_?mail)/i;

export function isPublicField(field: string): boolean {
  return PUBLIC_FIELDS.has(field.toLowerCase());
}

/** Every secret of a configuration once, in its order. */
export function secretsOf({ name: project, store, pools }: SecretSource): Secret[] {
  const all: Secret[] = [];
  for (const [pool, { auth, keys, endpoints }] of Object.entries(pools)) {
    for (const key of keys) all.push(...secretsOfKey(key, auth === 'basic', pool, project));
    for (const endpoint of endpoints) all.push(...secretsOfEndpoint(endpoint, pool));
  }
  all.push(...secretOfUrl(store, 'store'));
  return merged(all);
}

/** The secrets that a config file, what it extends and its variables hold, whatever else is wrong with them. */
export function secretsInFile(file: string, env: Env): Secret[] {
  const files = roughFiles(file, env);
  const name = files.flatMap(({ value }) => known(value, 'name') ?? [])[0] ?? projectName(file);
  const all = files.flatMap(({ value }) => secretsOf(roughly(value, name)));
  const store = secretOfUrl(env['GEMBA_STORE'] ?? '', 'store');
  return merged([...all, ...store]);
}

function secretsOfKey(key: SecretKey, isBasic: boolean, pool: string, project: string): Secret[] {
  const name = `${pool}/${key.name}`;
  const shown = fingerprint(project, key);
  const secret = (what: string, value: string, user: string | null = null): Secret => {
    return { name: what === '' ? name : `${name} (${what})`, fingerprint: shown, value, user };
  };
  const { value = '', totp = '' } = key;
  const fields = Object.entries(key.fields);
  const user = fields.find(([field]) => USER_FIELD.test(field))?.[1] ?? null;
  // The value of basic auth is user:password, and the password alone is as secret.
  const [login = '', ...password] = isBasic ? value.split(':') : [];
  return [
    secret('', value),
    secret('password', password.join(':'), login),
    ...fields.filter(([field]) => !isPublicField(field)).map(([field, text]) => secret(field, text, user)),
    secret('totp', totp),
    ...seedsOf(totp).map((seed) => secret('totp', seed)),
  ];
}

function secretsOfEndpoint({ name, proxy, headers = {} }: SecretEndpoint, pool: string): Secret[] {
  const member = `${pool}/${name}`;
  const ofHeaders = Object.entries(headers).flatMap(([header, text]) => {
    const common = { name: `${member} (header ${header})`, fingerprint: null, user: null };
    const [, credentials = ''] = /^\w+ (\S+)$/.exec(text) ?? [];
    return [
      { ...common, value: text },
      { ...common, value: credentials },
    ];
  });
  return [...(proxy === undefined ? [] : secretOfUrl(proxy, `${member} (its proxy)`)), ...ofHeaders];
}

/** The secret of an `otpauth://` address, and a secret as programs write it: in capitals and without spaces. */
function seedsOf(totp: string): string[] {
  const given = URL.canParse(totp) ? (new URL(totp).searchParams.get('secret') ?? '') : '';
  const settings = totp === '' ? '' : parseTotp(totp);
  return typeof settings === 'string' ? [given] : [given, settings.secret, settings.secret.toLowerCase()];
}

function secretOfUrl(text: string, name: string): Secret[] {
  if (!URL.canParse(text)) return [];
  const { username, password } = new URL(text);
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

function roughly(value: unknown, name: string): SecretSource {
  const pools = Object.entries(asObject(asObject(value)['pools'])).map(
    ([pool, given]): [string, SecretPool] => {
      const { auth, keys, endpoints } = asObject(given);
      return [
        pool,
        { auth, keys: items(keys).map(roughKey), endpoints: items(endpoints).map(roughEndpoint) },
      ];
    },
  );
  return { name, store: known(value, 'store') ?? '', pools: Object.fromEntries(pools) };
}

function roughKey(given: unknown, index: number): SecretKey {
  const key = typeof given === 'string' ? { value: given } : asObject(given);
  return {
    name: known(key, 'name') ?? `key-${index + 1}`,
    value: known(key, 'value'),
    fields: texts(asObject(key)['fields']),
    totp: known(key, 'totp'),
  };
}

function roughEndpoint(given: unknown, index: number): SecretEndpoint {
  const name = known(given, 'name') ?? `endpoint-${index + 1}`;
  return { name, proxy: known(given, 'proxy'), headers: texts(asObject(given)['headers']) };
}

function texts(value: unknown): Record<string, string> {
  const object: Loose = asObject(value);
  return Object.fromEntries(
    Object.keys(object).flatMap((field) => {
      const text = known(object, field);
      return text === undefined ? [] : [[field, text]];
    }),
  );
}

/** A text whose variables are all set. */
function known(value: unknown, field: string): string | undefined {
  const text = textOf(value, field);
  return text !== undefined && isResolved(text) ? text : undefined;
}
