import type { ErrorBody } from '../error-body.ts';
import { sane } from '../retry-after.ts';
import { momentMs, untilNextMonthMs } from '../time-formats.ts';
import type { ProtocolTable } from './types.ts';

/** "You will regain access on 2026-04-01 at 00:00 UTC." */
function regainedMs({ message }: ErrorBody, now: number): number | null {
  const [, day, time] = /regain access on (\d{4}-\d\d-\d\d)(?: at (\d\d:\d\d) UTC)?/.exec(message) ?? [];
  const at = day === undefined ? null : momentMs(`${day}T${time ?? '00:00'}:00Z`);
  return at === null || at <= now ? null : sane(at - now);
}

/**
 * Anthropic's Messages API. Errors: https://platform.claude.com/docs/en/api/errors, limits:
 * https://platform.claude.com/docs/en/api/rate-limits. 529 is an endpoint without capacity, no limit of the key.
 */
export const anthropic: ProtocolTable = {
  errors: [
    {
      status: [400, 403, 429],
      says: /reached your specified (?:workspace )?API usage limits/i,
      as: 'exhausted',
      lastsMs: regainedMs,
      why: 'spend limit reached',
    },
    {
      status: 400,
      says: /credit balance is too low/i,
      as: 'exhausted',
      lastsMs: () => null,
      why: 'no credit left',
    },
    { status: 402, as: 'exhausted', lastsMs: () => null, why: 'billing' },
    { status: 401, as: 'auth', why: 'invalid key' },
    {
      status: 403,
      says: /(?:api key|organization) has been (?:disabled|deactivated)/i,
      as: 'auth',
      why: 'disabled by the vendor',
    },
    { status: 403, as: 'caller', why: 'not allowed for this key' },
    {
      status: 429,
      code: ['enforced_spend_limit_reached'],
      as: 'exhausted',
      lastsMs: (_, now) => untilNextMonthMs(now),
      why: 'spend cap of the month reached',
    },
    { status: 429, as: 'rate-limit', perModel: true, why: 'rate limit reached' },
  ],
  probe: (basePath) => ({
    path: `${basePath.endsWith('/v1') ? '' : '/v1'}/models?limit=1`,
    headers: { 'anthropic-version': '2023-06-01' },
  }),
  clientAuth: ['authorization'],
  noRetry: ['x-should-retry', 'false'],
  model: { field: 'model' },
};
