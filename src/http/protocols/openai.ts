import { sane } from '../retry-after.ts';
import { durationMs } from '../time-formats.ts';
import type { ErrorBody } from '../error-body.ts';
import type { ErrorRow, ProtocolTable } from './types.ts';

const BILLING = [
  'insufficient_quota',
  'credit_balance_exhausted',
  'organization_spend_limit_exceeded',
  'project_spend_limit_exceeded',
  'organization_usage_limit_exceeded',
  'billing_hard_limit_reached',
  'billing_not_active',
  'access_terminated',
];

/** What the sentence "Please try again in 7m12s" asks for; a header may be missing or be cut by a proxy. */
function tryAgainMs({ message }: ErrorBody): number | null {
  const span = /try again in ([\d.]+(?:ms|[dhms])(?:[\d.]+(?:ms|[dhms]))*)/i.exec(message)?.[1];
  return span === undefined ? null : sane(durationMs(span));
}

/** Rows that Azure OpenAI shares. */
export const LIMITS: readonly ErrorRow[] = [
  {
    status: [400, 403, 429],
    code: BILLING,
    as: 'exhausted',
    lastsMs: () => null,
    why: 'no credit or quota left',
  },
  // One request that is bigger than the whole limit: no wait and no other key of the same tier helps.
  { status: 429, says: /^request too large/i, as: 'caller', why: 'request bigger than the limit' },
  {
    status: 429,
    says: /\b(?:requests|tokens) per day\b|\((?:RPD|TPD)\)/i,
    as: 'exhausted',
    asksMs: tryAgainMs,
    perModel: true,
    why: 'limit per day reached',
  },
  { status: 429, as: 'rate-limit', asksMs: tryAgainMs, perModel: true, why: 'rate limit reached' },
];

/**
 * OpenAI's API, and servers that speak it. Errors: https://platform.openai.com/docs/guides/error-codes, limits:
 * https://platform.openai.com/docs/guides/rate-limits.
 */
export const openai: ProtocolTable = {
  errors: [
    // A restricted key is valid, and this call is not what it is for.
    {
      status: [401, 403],
      says: /missing scopes|insufficient permissions/i,
      as: 'caller',
      why: 'key without that scope',
    },
    {
      status: [401, 403],
      code: ['mismatched_organization', 'mismatched_project', 'invalid_organization', 'invalid_project'],
      as: 'caller',
      why: 'organization header of another key',
    },
    { status: 401, code: ['account_deactivated'], as: 'auth', why: 'account deactivated' },
    { status: 401, code: ['ip_not_authorized'], as: 'auth', why: 'this address is not allowed for the key' },
    { status: 401, as: 'auth', why: 'invalid key' },
    // Every key gets this from here; another endpoint may be reached by another way.
    {
      status: 403,
      code: ['unsupported_country_region_territory'],
      as: 'server',
      why: 'not served in this region',
    },
    ...LIMITS.slice(0, 1),
    { status: 403, as: 'caller', why: 'not allowed for this key' },
    ...LIMITS.slice(1),
  ],
  probe: (basePath) => ({ path: basePath === '' ? '/v1/models' : '/models' }),
  noRetry: ['x-should-retry', 'false'],
  model: { field: 'model' },
  clientPath: '/v1',
};
