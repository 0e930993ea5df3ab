import type { ErrorBody } from '../error-body.ts';
import { sane } from '../retry-after.ts';
import { LIMITS } from './openai.ts';
import type { ProtocolTable } from './types.ts';

/** "Quota will be replenished in 10.01:59:59" (days, hours, minutes, seconds). */
function replenishedMs({ message }: ErrorBody): number | null {
  const [, days = '0', hours, minutes, seconds] =
    /replenished in (?:(\d+)\.)?(\d+):(\d\d):(\d\d)/i.exec(message) ?? [];
  if (hours === undefined) return null;
  return sane((((Number(days) * 24 + Number(hours)) * 60 + Number(minutes)) * 60 + Number(seconds)) * 1000);
}

/** "Try again in 26 seconds": the gateway in front of the service. */
function retryInSecondsMs({ message }: ErrorBody): number | null {
  const seconds = /(?:try again in|retry after) (\d+) seconds?/i.exec(message)?.[1];
  return seconds === undefined ? null : sane(Number(seconds) * 1000);
}

/**
 * Azure OpenAI. A key belongs to one resource: bind keys to their endpoints by `endpoints`. Errors:
 * https://learn.microsoft.com/azure/foundry/openai/how-to/troubleshoot-errors.
 */
export const azureOpenai: ProtocolTable = {
  errors: [
    { status: 401, says: /principal does not have access/i, as: 'caller', why: 'no role for that operation' },
    { status: 401, as: 'auth', why: 'invalid key, or the key of another resource' },
    {
      status: [403, 429],
      says: /out of call volume quota|quota will be replenished/i,
      as: 'exhausted',
      lastsMs: replenishedMs,
      why: 'call volume used up',
    },
    // The resource's own firewall: all its keys get this.
    {
      status: 403,
      says: /virtual network|firewall|public access is disabled/i,
      as: 'server',
      why: 'network access denied',
    },
    { status: 403, says: /temporarily blocked/i, as: 'server', why: 'resource blocked' },
    ...LIMITS.slice(0, 1),
    { status: 403, as: 'caller', why: 'not allowed for this key' },
    ...LIMITS.slice(1, -1),
    { status: 429, as: 'rate-limit', asksMs: retryInSecondsMs, perModel: true, why: 'rate limit reached' },
  ],
  probe: (basePath) => {
    if (basePath.endsWith('/v1')) return { path: '/models' };
    const root = basePath.endsWith('/openai') ? '' : '/openai';
    return { path: `${root}/models?api-version=2024-10-21` };
  },
  noRetry: ['x-should-retry', 'false'],
  model: { field: 'model', path: /\/deployments\/([^/?]+)/ },
};
