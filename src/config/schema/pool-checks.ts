import { secretOf } from '../../shared/fingerprint.ts';
import { ADDRESS, hostOf, sameAddress } from './addresses.ts';
import { nameProblem, suggest, type ReportProblem } from './fields.ts';
import { asObject, isEmptyList, isObject, items, textOf, type Loose } from '../json.ts';
import type { KeyConfig } from '../types.ts';

type KeyParts = Partial<Pick<KeyConfig, 'value' | 'fields'>>;

const FITS_HEADER = /^[\x21-\x7e\x80-\xff](?:[\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?$/;
const HEADER_NEEDS = 'must fit into a header: no line break, no space at its ends, nothing beyond Latin-1';
const BASIC_NEEDS =
  'needs "fields" with username and password, or a value "user:password", for "auth": "basic"';

/** What the fields of one pool owe to each other. Fields may be of any type here: their own checks tell that. */
export function checkPool(value: unknown, report: ReportProblem): void {
  // Another type is told by the pool's own type.
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
  checkPolicy(pool, report);
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
  // A wrong endpoint may have no good name yet; what refers to it is then not to blame.
  if (known.length < endpoints.length) return;
  keys.forEach((key, index) => {
    items(key['endpoints']).forEach((name, position) => {
      if (typeof name !== 'string' || known.includes(name)) return;
      const hint = known.length === 0 ? 'it has none' : suggest(name, known);
      report(['keys', index, 'endpoints', position], `is no endpoint of this pool; ${hint}`);
    });
  });
}

function sendingProblem({ value, fields }: KeyParts, auth: unknown): string | undefined {
  if (auth === 'basic') {
    const named = fields?.['username'] !== undefined && fields['password'] !== undefined;
    return named || value?.includes(':') === true ? undefined : BASIC_NEEDS;
  }
  const inHeader = auth === undefined || auth === 'bearer' || 'header' in asObject(auth);
  return !inHeader || value === undefined || value === '' || FITS_HEADER.test(value)
    ? undefined
    : HEADER_NEEDS;
}

function checkPolicy(pool: Loose, report: ReportProblem): void {
  if (pool['whenEmpty'] === 'fallback' && pool['fallback'] === undefined) {
    report(['whenEmpty'], 'needs "fallback": the name of the pool that stands in');
  }
  const { base, max } = asObject(pool['ejection']);
  if (typeof base === 'number' && typeof max === 'number' && base > max) {
    report(['ejection', 'base'], 'must not be longer than "max"');
  }
}

/** The place of the first equal value before this one. */
function earlier(values: readonly (string | undefined)[], index: number): number | undefined {
  const value = values[index];
  const first = value === undefined || value === '' ? index : values.indexOf(value);
  return first < index ? first : undefined;
}

/** An endpoint as its schema makes it; it may not have done so, where another one of the list is wrong. */
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
