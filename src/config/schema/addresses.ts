import type { z } from 'zod';
import { matching, nameProblem } from './fields.ts';

export const ADDRESS: RegExp = /^https?:\/\//i;

const ENDPOINT_NEEDS = 'be an absolute http or https address, such as "https://api.example.test"';
const TOKEN_NEEDS =
  'be the http or https address of a token endpoint, such as "https://id.example.test/token"';
const PROXY_NEEDS = 'be the http or https address of a proxy, such as "http://proxy:3128"';
const STORE_NEEDS = 'be "local" or a Redis address, such as "redis://host:6379/0"';

/** The address of an endpoint: it goes into reports, so it must not carry anything secret. */
export function endpointUrl(): z.ZodType<string, string> {
  return matching(ENDPOINT_NEEDS, endpointUrlProblem, '^https?://').transform((value) => value.trim());
}

/** The address of a token endpoint: it is named in messages, so it must not carry anything secret. */
export function tokenUrl(): z.ZodType<string, string> {
  return matching(TOKEN_NEEDS, tokenUrlProblem, '^https?://');
}

export function proxyUrl(): z.ZodType<string, string> {
  return matching(PROXY_NEEDS, proxyProblem, '^https?://');
}

export function storeUrl(): z.ZodType<string, string> {
  return matching(STORE_NEEDS, storeProblem, '^(local$|rediss?://)');
}

/** The name of an endpoint that has none: its host, with the port where one is given. */
export function hostOf(url: string): string {
  // An IPv6 address comes in brackets, which a name must not have.
  return new URL(url).host.replace(/[[\]]/g, '');
}

/** What makes two addresses the same endpoint. */
export function sameAddress(url: string): string {
  return URL.canParse(url) ? new URL(url).href.replace(/\/+$/, '') : url;
}

function endpointUrlProblem(value: string): string | undefined {
  const url = parsed(value.trim(), ADDRESS);
  if (url === undefined || nameProblem(hostOf(url.href)) !== undefined) return `must ${ENDPOINT_NEEDS}`;
  if (url.username !== '' || url.password !== '') {
    return 'must not hold a user name or password; put them in "keys", with "auth": "basic"';
  }
  if (value.includes('?')) return 'must not hold a query; a key in a query belongs in "keys"';
  return value.includes('#') ? 'must not hold a fragment (#…)' : undefined;
}

function tokenUrlProblem(value: string): string | undefined {
  const url = parsed(value, ADDRESS);
  if (url === undefined) return `must ${TOKEN_NEEDS}`;
  const bare = url.username === '' && url.password === '' && url.hash === '';
  return bare ? undefined : 'must not hold a user, a password or a fragment (#…)';
}

function proxyProblem(value: string): string | undefined {
  const url = parsed(value, ADDRESS);
  const bare = url !== undefined && url.pathname === '/' && url.search === '' && url.hash === '';
  return bare ? undefined : `must ${PROXY_NEEDS}`;
}

function storeProblem(value: string): string | undefined {
  const url = parsed(value, /^rediss?:\/\//i);
  const fine = value === 'local' || (url !== undefined && url.hostname !== '');
  return fine ? undefined : `must ${STORE_NEEDS}`;
}

function parsed(value: string, start: RegExp): URL | undefined {
  return start.test(value) && !/\s/.test(value) && URL.canParse(value) ? new URL(value) : undefined;
}
