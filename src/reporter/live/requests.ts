import { LIMITS } from '../../core/limits.ts';
import { createHash, timingSafeEqual } from 'node:crypto';
import { isIP } from 'node:net';
import type * as zod from 'zod';
import { MEMBER_KINDS } from '../../core/types.ts';
import { z } from '../../shared/zod.ts';
import { type AdminRequest, type EditRequest, LIVE_ACTIONS } from './messages.ts';

/** Where the live page listens. */
export interface Bound {
  readonly host: string;
  readonly port: number;
}

const LOOPBACK: readonly string[] = ['127.0.0.1', 'localhost', '[::1]'];
const WILDCARDS: readonly string[] = ['0.0.0.0', '::'];

const name = z.string().min(1).max(LIMITS.name);

export const adminRequestSchema: zod.ZodType<AdminRequest> = z
  .object({
    action: z.enum(LIVE_ACTIONS),
    pool: name,
    name,
    reservation: z
      .object({
        forMs: z.number().positive().max(LIMITS.durationMs),
        reason: z.string().min(1).max(LIMITS.reason),
      })
      .optional(),
  })
  .refine(({ action, reservation }) => (action === 'reserve') === (reservation !== undefined));

/** The configuration decides which values are valid. */
const number = z.number().nullable().optional();

export const editRequestSchema: zod.ZodType<EditRequest> = z.object({
  revision: z.string().min(1).max(64),
  pool: name,
  kind: z.enum(MEMBER_KINDS),
  name,
  set: z.strictObject({
    enabled: z.boolean().nullable().optional(),
    weight: number,
    maxConcurrent: number,
    rpm: number,
  }),
});

/**
 * Whether a request's `Host` names this page. A name that a stranger's DNS resolves to this machine does not: a foreign site
 * would reach the page by it (DNS rebinding). Where the page listens on every address, any IP address is accepted: no DNS
 * name can be rebound to it.
 */
export function isOwnHost(header: string | undefined, bound: Bound): boolean {
  const host = parsed(header);
  if (!host || host.port !== bound.port) return false;
  const own = bracketed(bound.host);
  if (LOOPBACK.includes(host.name) || host.name === own) return true;
  return WILDCARDS.includes(bound.host) && isIP(host.name.replaceAll(/[[\]]/g, '')) !== 0;
}

/** A page of this origin sends its own origin, or none. */
export function isOwnOrigin(origin: string | undefined, host: string | undefined): boolean {
  return origin === undefined || origin === `http://${host}`;
}

/** Takes the same time for a wrong token as for the right one. */
export function isToken(given: string | null | undefined, token: string): boolean {
  return timingSafeEqual(digest(given ?? ''), digest(token));
}

/** A host as it stands in an address: IPv6 in brackets. */
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
