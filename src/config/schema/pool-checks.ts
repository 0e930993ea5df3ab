import { secretOf } from '../../shared/fingerprint.ts';
import { ADDRESS, hostOf, sameAddress } from './addresses.ts';
import { suggest } from '../../shared/suggest.ts';
import { FOUND, nameProblem, type ReportProblem } from './fields.ts';
import { headerValueProblem } from './headers.ts';
import { asObject, isEmptyList, isObject, items, textOf, type Loose } from '../json.ts';
import type { Protocol } from '../../core/types.ts';
import type { KeyConfig } from '../types.ts';
import { AUTH_OF } from './auth.ts';

type KeyParts = Partial<Pick<KeyConfig, 'value' | 'fields'>>;

const AUTH_HEADER = 'is the header of the key; set another "auth", or leave this one out';
const BASIC_NEEDS =
  'needs "fields" with username and password, or a value "user:password", for "auth": "basic"';

/** Checks over several fields of one pool. A field may be of any type here: its own check reports that. */
export function checkPool(value: unknown, report: ReportProblem): void {
  if (!isObject(value)) return;
  const pool = value;
  const endpoints = items(pool['endpoints']).map(asEndpoint);
  const keys = items(pool['keys']).map(asKey);
  if (isEmptyList(pool['endpoints']) && isEmptyList(pool['keys'])) {
    report([], 'needs at least one endpoint or key');
  }
  checkEndpoints(endpoints, report);
  checkKeys(keys, report);
  checkEndpointsOfKeys(endpoints, keys, report);
  keys.forEach((key, index) => {
    const problem = isKey(key) ? sendingProblem(key, pool['auth']) : undefined;
    if (problem !== undefined) report(secretPath(key, index), problem);
  });
  checkHeaders(endpoints, keys, pool, report);
  checkPolicy(pool, report);
}

/** A header of an endpoint would replace the key, or be replaced by it. */
function checkHeaders(
  endpoints: readonly Loose[],
  keys: readonly Loose[],
  pool: Loose,
  report: ReportProblem,
): void {
  const auth = authHeaderOf(pool);
  if (auth === undefined || (keys.length === 0 && !isObject(pool['keys']))) return;
  endpoints.forEach(({ headers }, index) => {
    for (const name of Object.keys(asObject(headers)))
      if (name.toLowerCase() === auth) report(['endpoints', index, 'headers', name], AUTH_HEADER, 'name');
  });
}

function authHeaderOf({ auth, protocol }: Loose): string | undefined {
  const style = auth ?? AUTH_OF[protocol as Protocol] ?? 'bearer';
  if (style === 'bearer' || style === 'basic' || asObject(style)['oauth2'] !== undefined)
    return 'authorization';
  return textOf(style, 'header')?.toLowerCase();
}

function checkEndpoints(endpoints: readonly Loose[], report: ReportProblem): void {
  const names = endpoints.map((endpoint) => textOf(endpoint, 'name'));
  const addresses = endpoints.map((endpoint) => sameAddress(textOf(endpoint, 'url') ?? ''));
  endpoints.forEach((_, index) => {
    const twin = earlier(addresses, index);
    const namesake = earlier(names, index);
    if (twin !== undefined) {
      const both = `"${names[index]}" has the address of "${names[twin]}" (endpoints[${twin}])`;
      report(['endpoints', index, 'url'], `${both}; list each endpoint once`);
    } else if (namesake !== undefined) {
      const message = `"${names[index]}" is the name of endpoints[${namesake}], too; give it another "name"`;
      report(['endpoints', index, 'name'], message);
    }
  });
}

function checkKeys(keys: readonly Loose[], report: ReportProblem): void {
  const names = keys.map((key, index) => textOf(key, 'name') ?? `key-${index + 1}`);
  const secrets = keys.map((key) => (isKey(key) ? secretOf(key) : undefined));
  keys.forEach((key, index) => {
    const twin = earlier(secrets, index);
    const namesake = earlier(names, index);
    if (twin !== undefined) {
      const both = `"${names[index]}" is the same secret as "${names[twin]}" (keys[${twin}])`;
      report(secretPath(key, index), `${both}; list each key once`);
    }
    if (namesake !== undefined) {
      const message = `"${names[index]}" is the name of keys[${namesake}], too; give it another "name"`;
      report(['keys', index, 'name'], message);
    }
  });
}

function checkEndpointsOfKeys(
  endpoints: readonly Loose[],
  keys: readonly Loose[],
  report: ReportProblem,
): void {
  const known = endpoints
    .flatMap((endpoint) => textOf(endpoint, 'name') ?? [])
    .filter((name) => nameProblem(name) === undefined);
  // A wrong endpoint may have no valid name yet, so a reference to it may be right.
  if (known.length < endpoints.length) return;
  keys.forEach((key, index) => {
    items(key['endpoints']).forEach((name, position) => {
      if (typeof name !== 'string' || known.includes(name)) return;
      const hint = known.length === 0 ? 'it has none' : suggest(name, known);
      report(['keys', index, 'endpoints', position], `${FOUND} is not an endpoint of this pool; ${hint}`);
    });
  });
}

function sendingProblem({ value, fields }: KeyParts, auth: unknown): string | undefined {
  if (auth === 'basic') {
    const named = fields?.['username'] !== undefined && fields['password'] !== undefined;
    return named || value?.includes(':') === true ? undefined : BASIC_NEEDS;
  }
  const oauth2 = asObject(auth)['oauth2'];
  if (oauth2 !== undefined) {
    const { clientId = 'client_id', clientSecret = 'client_secret' } = asObject(oauth2);
    const missing = [clientId, clientSecret].filter(
      (name) => typeof name === 'string' && !fields?.[name],
    ) as string[];
    return missing.length === 0
      ? undefined
      : `needs "fields" with ${missing.join(' and ')} for "auth": { "oauth2": … }`;
  }
  const inHeader = auth === undefined || auth === 'bearer' || 'header' in asObject(auth);
  return inHeader && value !== undefined ? headerValueProblem(value) : undefined;
}

function checkPolicy(pool: Loose, report: ReportProblem): void {
  if (pool['whenEmpty'] === 'fallback' && pool['fallback'] === undefined) {
    report(['whenEmpty'], 'needs "fallback", the name of the pool that is used instead');
  }
  const { base, max } = asObject(pool['ejection']);
  if (typeof base === 'number' && typeof max === 'number' && base > max) {
    report(['ejection', 'base'], 'must not be longer than "max"');
  }
}

/** The index of the first equal value before this one. */
function earlier(values: readonly (string | undefined)[], index: number): number | undefined {
  const value = values[index];
  const first = value === undefined || value === '' ? index : values.indexOf(value);
  return first < index ? first : undefined;
}

/** An endpoint in its long form: its schema leaves the short form where another endpoint of the array is wrong. */
function asEndpoint(value: unknown): Loose {
  const endpoint = typeof value === 'string' ? { url: value.trim() } : asObject(value);
  const { name, url } = endpoint as Loose;
  return name === undefined && typeof url === 'string' && ADDRESS.test(url) && URL.canParse(url)
    ? { ...endpoint, name: hostOf(url) }
    : endpoint;
}

function asKey(value: unknown): Loose {
  return typeof value === 'string' ? { value } : asObject(value);
}

function secretPath(key: Loose, index: number): (string | number)[] {
  return ['keys', index, ...(key['value'] === undefined ? [] : ['value'])];
}

function isKey(value: unknown): value is KeyParts {
  const { value: secret, fields } = asObject(value);
  const isSecret = typeof secret === 'string' || (secret === undefined && fields !== undefined);
  return isSecret && Object.values(asObject(fields)).every((field) => typeof field === 'string');
}
