import { untilMidnightMs } from '../time-formats.ts';
import type { ErrorBody } from '../error-body.ts';
import type { ProtocolTable } from './types.ts';

/** Reasons that make a key useless from here, whatever is asked. */
const KEY_REASONS = [
  'API_KEY_INVALID',
  'API_KEY_SERVICE_BLOCKED',
  'API_KEY_HTTP_REFERRER_BLOCKED',
  'API_KEY_IP_ADDRESS_BLOCKED',
  'API_KEY_ANDROID_APP_BLOCKED',
  'API_KEY_IOS_APP_BLOCKED',
  'CONSUMER_SUSPENDED',
  'CONSUMER_INVALID',
  'SERVICE_DISABLED',
  'ACCOUNT_STATE_INVALID',
  'GCP_SUSPENDED',
];

/** Requests per day are counted anew at midnight Pacific time; the RetryInfo beside them is about minutes. */
function untilNextDay(_: ErrorBody, now: number): number {
  return untilMidnightMs('America/Los_Angeles', now);
}

/**
 * Google's Gemini API. Limits are per project and model, not per key: name the project by `quotaGroup`. Errors:
 * https://ai.google.dev/gemini-api/docs/troubleshooting, limits: https://ai.google.dev/gemini-api/docs/rate-limits,
 * reasons: google/api/error_reason.proto.
 */
export const gemini: ProtocolTable = {
  errors: [
    { status: [400, 401, 403], code: KEY_REASONS, as: 'auth', why: 'invalid or blocked key' },
    { status: 400, says: /api key (?:not valid|expired|not found)/i, as: 'auth', why: 'invalid key' },
    { status: 400, says: /location is not supported/i, as: 'server', why: 'not served in this region' },
    {
      status: [400, 403],
      code: ['BILLING_DISABLED'],
      as: 'exhausted',
      lastsMs: () => null,
      why: 'billing is off',
    },
    {
      status: [401, 403],
      says: /unregistered callers|missing required authentication/i,
      as: 'caller',
      why: 'no key was sent',
    },
    { status: 401, as: 'auth', why: 'invalid key' },
    {
      status: 403,
      says: /reported as leaked|has been suspended/i,
      as: 'auth',
      why: 'key blocked by the vendor',
    },
    // Also what another project's file or tuned model answers: files belong to the key that sent them.
    { status: 403, as: 'caller', why: 'not allowed for this key' },
    {
      status: 429,
      says: /credits? (?:are|is|have been) depleted|prepayment|spend(?:ing)? (?:cap|limit)/i,
      as: 'exhausted',
      lastsMs: () => null,
      why: 'no credit left',
    },
    {
      status: 429,
      code: /PerDay/,
      as: 'exhausted',
      lastsMs: untilNextDay,
      perModel: true,
      why: 'quota per day used up',
    },
    {
      status: 429,
      says: /\blimit: 0\b/,
      as: 'exhausted',
      lastsMs: untilNextDay,
      perModel: true,
      why: 'no quota for this model',
    },
    { status: 429, code: /PerMinute|PerSecond/, as: 'rate-limit', perModel: true, why: 'rate limit reached' },
    {
      status: 429,
      says: /per day/i,
      as: 'exhausted',
      lastsMs: untilNextDay,
      perModel: true,
      why: 'quota per day used up',
    },
    { status: 429, as: 'rate-limit', perModel: true, why: 'rate limit reached' },
  ],
  probe: (basePath) => ({ path: `${/\/v1\w*$/.test(basePath) ? '' : '/v1beta'}/models?pageSize=1` }),
  noRetry: null,
  model: { path: /\/(?:models|tunedModels)\/([^/:?]+)(?=[:/?]|$)/ },
};
