import { MEMBER_KINDS } from '../../core/types.ts';
import { createHash, timingSafeEqual } from 'node:crypto';
import { isIP } from 'node:net';
import type * as zod from 'zod';
import { z } from '../../shared/zod.ts';

/** Where the live page listens. */
export interface Bound {
  readonly host: string;
  readonly port: number;
}

const LOOPBACK: readonly string[] = ['127.0.0.1', 'localhost', '[::1]'];
const WILDCARDS: readonly string[] = ['0.0.0.0', '::'];

/** What the page may ask for a member. */
export const wishSchema = z.object({
  action: z.enum(['enable', 'disable', 'reset']),
  pool: z.string().min(1).max(200),
  name: z.string().min(1).max(200),
});

export type Wish = zod.infer<typeof wishSchema>;

/** Null takes a field out of the file, so that its default counts; what a value may be, the configuration says. */
const number = z.number().nullable().optional();

/** What the page may have written into the configuration's file. */
export const editSchema = z.object({
  /** The file as the page showed it. */
  revision: z.string().min(1).max(64),
  pool: z.string().min(1).max(200),
  kind: z.enum(MEMBER_KINDS),
  name: z.string().min(1).max(200),
  set: z.strictObject({
    enabled: z.boolean().nullable().optional(),
    weight: number,
    maxConcurrent: number,
    rpm: number,
  }),
});

export type Edit = zod.infer<typeof editSchema>;

/**
 * Does a request's `Host` name this page? A name that somebody else's DNS points here does not: that is how a foreign
 * site would get at it (DNS rebinding). Where the page listens on every address, any plain address will do: no name can
 * be rebound to it.
 */
export function isOwnHost(header: string | undefined, bound: Bound): boolean {
  const host = parsed(header);
  if (!host || host.port !== bound.port) return false;
  const own = bracketed(bound.host);
  if (LOOPBACK.includes(host.name) || host.name === own) return true;
  return WILDCARDS.includes(bound.host) && isIP(host.name.replaceAll(/[[\]]/g, '')) !== 0;
}

/** A page of this origin sends its own, or none at all. */
export function isOwnOrigin(origin: string | undefined, host: string | undefined): boolean {
  return origin === undefined || origin === `http://${host}`;
}

/** Takes as long for a wrong token as for a right one. */
export function isToken(given: string | null | undefined, token: string): boolean {
  return timingSafeEqual(digest(given ?? ''), digest(token));
}

/** Host and port as an address says them: IPv6 in brackets. */
export function bracketed(host: string): string {
  return isIP(host) === 6 ? `[${host}]` : host.toLowerCase();
}

function parsed(header: string | undefined): { name: string; port: number } | null {
  if (header === undefined || !/^[\w.:[\]-]+$/.test(header) || !URL.canParse(`http://${header}/`))
    return null;
  const { hostname, port } = new URL(`http://${header}/`);
  return { name: hostname, port: port === '' ? 80 : Number(port) };
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
