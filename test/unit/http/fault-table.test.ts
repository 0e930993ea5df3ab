import { describe, expect, it } from 'vitest';
import { type DescribedOutcome, isSuccess, isRepeatable } from '../../../src/fixtures/calls/call.ts';
import { type Protocol, type ClassifyRule } from '../../../src/core/types.ts';
import { meaningOf } from '../../../src/http/classify.ts';
import { faultOf } from '../../../src/http/fault.ts';
import { duration } from '../../../src/shared/format.ts';
import { endpoint, key, poolSpec, World } from '../core/world.ts';

/**
 * What each answer and each error comes to: its kind, who is to blame and for how long, and what the caller of a GET
 * gets. Every row is judged by the tables of `src/http`, settled by the broker's own core, and moved by it.
 *
 * The pool has the endpoints eu and us, the keys one and two, and ejects at the first fault (`maxFailures` 1). The call
 * goes to eu with key one, on Thursday, 15 January 2026, 20:00 UTC: noon in California.
 */
const NOW = Date.parse('2026-01-15T20:00:00Z');

type Row = readonly [
  what: string,
  given: Given,
  kind: string,
  blamed: string,
  lasts: string,
  gets: 'its answer' | 'its error' | 'another key' | 'another endpoint',
];

interface Given {
  readonly protocol?: Protocol;
  readonly status?: number;
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
  readonly error?: unknown;
  readonly classify?: readonly ClassifyRule[];
  /** The call sent credentials of its own, or none. */
  readonly auth?: 'own' | 'none';
  /** The lease names a model. */
  readonly model?: string;
  /** It comes to the same at us. */
  readonly everywhere?: true;
}

const error = (error: object): object => ({ error });
const quota = (...quotaIds: string[]): object =>
  error({
    code: 429,
    status: 'RESOURCE_EXHAUSTED',
    message: 'You exceeded your current quota, please check your plan and billing details.',
    details: [
      {
        '@type': 'type.googleapis.com/google.rpc.QuotaFailure',
        violations: quotaIds.map((quotaId) => ({ quotaId })),
      },
      { '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '32s' },
    ],
  });
const reason = (reason: string): object =>
  error({
    code: 400,
    status: 'INVALID_ARGUMENT',
    details: [{ '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason }],
  });
const claude = (type: string, message = '', more = {}): object => ({
  type: 'error',
  error: { type, message, ...more },
});
const coded = (code: string, more: object = {}): Error => Object.assign(new Error(code), { code, ...more });
const PER_DAY = 'GenerateRequestsPerDayPerProjectPerModel-FreeTier';
const PER_MINUTE = 'GenerateRequestsPerMinutePerProjectPerModel-FreeTier';

// prettier-ignore
const HTTP: readonly Row[] = [
  ['a success', { status: 200 }, 'ok', 'nobody', '', 'its answer'],
  ['a redirect', { status: 302 }, 'ok', 'nobody', '', 'its answer'],
  ['a bad request', { status: 400 }, 'caller', 'nobody', '', 'its answer'],
  ['a vendor’s words under plain HTTP', { status: 400, body: reason('API_KEY_INVALID') }, 'caller', 'nobody', '', 'its answer'],
  ['nothing there', { status: 404 }, 'caller', 'nobody', '', 'its answer'],
  ['a conflict', { status: 409 }, 'caller', 'nobody', '', 'its answer'],
  ['a wrong input', { status: 422 }, 'caller', 'nobody', '', 'its answer'],
  ['a refused key', { status: 401 }, 'auth', 'one, suspected', '', 'another key'],
  ['a forbidden resource', { status: 403 }, 'auth', 'one, suspected', '', 'another key'],
  ['the caller’s own wrong password', { status: 401, auth: 'own' }, 'auth', 'nobody', '', 'its answer'],
  ['a call without credentials', { status: 401, auth: 'none' }, 'auth', 'nobody', '', 'its answer'],
  ['a 403 that says when to come back', { status: 403, headers: { 'retry-after': '30' } }, 'rate-limit', 'one cooling', '30 s', 'another key'],
  ['a 403 with nothing left', { status: 403, headers: { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '1768507320' } }, 'rate-limit', 'one cooling', '2 min', 'another key'],
  ['payment required', { status: 402 }, 'exhausted', 'one exhausted', '1 h', 'another key'],
  ['a limit that says nothing', { status: 429 }, 'rate-limit', 'one cooling', '1 s', 'another key'],
  ['a limit in seconds', { status: 429, headers: { 'retry-after': '7' } }, 'rate-limit', 'one cooling', '7 s', 'another key'],
  ['a limit as a date', { status: 429, headers: { 'retry-after': 'Thu, 15 Jan 2026 20:00:30 GMT' } }, 'rate-limit', 'one cooling', '30 s', 'another key'],
  ['a limit as a date of another clock', { status: 429, headers: { date: 'Thu, 15 Jan 2026 21:00:00 GMT', 'retry-after': 'Thu, 15 Jan 2026 21:00:30 GMT' }}, 'rate-limit', 'one cooling', '30 s', 'another key'],
  ['a limit that is over', { status: 429, headers: { 'retry-after': 'Thu, 15 Jan 2026 19:00:00 GMT' } }, 'rate-limit', 'one cooling', '1 s', 'another key'],
  ['a limit below zero', { status: 429, headers: { 'retry-after': '-5' } }, 'rate-limit', 'one cooling', '1 s', 'another key'],
  ['a limit of three years', { status: 429, headers: { 'retry-after': '99999999' } }, 'rate-limit', 'one cooling', '1 s', 'another key'],
  ['a limit in milliseconds', { status: 429, headers: { 'retry-after-ms': '1500' } }, 'rate-limit', 'one cooling', '1.5 s', 'another key'],
  ['a limit on a call with its own key', { status: 429, auth: 'own' }, 'rate-limit', 'nobody', '', 'its answer'],
  ['a slow server’s word', { status: 408 }, 'timeout', 'eu ejected', '15 s', 'another endpoint'],
  ['a broken server', { status: 500 }, 'server', 'eu ejected', '15 s', 'another endpoint'],
  ['a broken product', { status: 500, everywhere: true }, 'server', 'nobody', '', 'another endpoint'],
  ['a bad gateway', { status: 502 }, 'server', 'eu ejected', '15 s', 'another endpoint'],
  ['a maintenance', { status: 503, headers: { 'retry-after': '120' } }, 'server', 'eu ejected', '15 s', 'another endpoint'],
  ['a gateway’s timeout', { status: 504 }, 'server', 'eu ejected', '15 s', 'another endpoint'],
  ['a rule of the configuration', { status: 429, body: 'quota of the plan', classify: [{ status: 429, body: 'quota of the plan', as: 'exhausted' }]}, 'exhausted', 'one exhausted', '1 h', 'another key'],
  ['a rule for a product’s own 503', { status: 503, headers: { 'x-error': 'E42 planned' }, classify: [{ status: 503, header: 'x-error: E42', as: 'caller' }]}, 'caller', 'nobody', '', 'its answer'],
];

// prettier-ignore
const OPENAI: readonly Row[] = [
  ['an invalid key', { status: 401, body: error({ code: 'invalid_api_key' }) }, 'auth', 'one quarantined', 'until proven', 'another key'],
  ['a deactivated account', { status: 401, body: error({ code: 'account_deactivated' }) }, 'auth', 'one quarantined', 'until proven', 'another key'],
  ['a key without that scope', { status: 403, body: error({ message: 'You have insufficient permissions for this operation. Missing scopes: model.request.'})}, 'caller', 'nobody', '', 'its answer'],
  ['another organization’s header', { status: 401, body: error({ code: 'mismatched_organization' }) }, 'caller', 'nobody', '', 'its answer'],
  ['a region without service', { status: 403, body: error({ code: 'unsupported_country_region_territory' }) }, 'server', 'eu ejected', '15 s', 'another endpoint'],
  ['another 403', { status: 403 }, 'caller', 'nobody', '', 'its answer'],
  ['an unknown model', { status: 404, body: error({ code: 'model_not_found' }) }, 'caller', 'nobody', '', 'its answer'],
  ['a rate limit', { status: 429, headers: { 'retry-after': '2' }, body: error({ code: 'rate_limit_exceeded', message: 'Rate limit reached. Please try again in 6m0s.' })}, 'rate-limit', 'one cooling', '6 min', 'another key'],
  ['a rate limit by counters', { status: 429, headers: { 'x-ratelimit-remaining-requests': '0', 'x-ratelimit-reset-requests': '12s', 'x-ratelimit-remaining-tokens': '100', 'x-ratelimit-reset-tokens': '50s'}}, 'rate-limit', 'one cooling', '12 s', 'another key'],
  ['a limit per day', { status: 429, headers: { 'x-ratelimit-reset-requests': '7m12s' }, body: error({ message: 'Rate limit reached on requests per day (RPD): Limit 200, Used 200.' })}, 'exhausted', 'one exhausted', '7 min 12 s', 'another key'],
  ['no credit, whatever headers say', { status: 429, headers: { 'retry-after': '1' }, body: error({ code: 'insufficient_quota' }) }, 'exhausted', 'one exhausted', '1 h', 'another key'],
  ['a spend limit', { status: 429, body: error({ type: 'insufficient_quota', code: 'project_spend_limit_exceeded' }) }, 'exhausted', 'one exhausted', '1 h', 'another key'],
  ['a request above the limit', { status: 429, body: error({ code: 'rate_limit_exceeded', message: 'Request too large for gpt-4 on tokens per min (TPM): Limit 10000, Requested 20000.'})}, 'caller', 'nobody', '', 'its answer'],
  ['an overload', { status: 503, body: error({ code: 'server_is_overloaded' }) }, 'server', 'eu ejected', '15 s', 'another endpoint'],
];

// prettier-ignore
const GEMINI: readonly Row[] = [
  ['an invalid key, which is a 400', { status: 400, body: reason('API_KEY_INVALID') }, 'auth', 'one quarantined', 'until proven', 'another key'],
  ['an expired key', { status: 400, body: error({ message: 'API key expired. Please renew the API key.' }) }, 'auth', 'one quarantined', 'until proven', 'another key'],
  ['a wrong input', { status: 400, body: error({ status: 'INVALID_ARGUMENT', message: 'Invalid value at contents' }) }, 'caller', 'nobody', '', 'its answer'],
  ['a prompt that talks of keys', { status: 400, body: error({ message: 'Invalid JSON: {"q": "why is my API key wrong?"}' }) }, 'caller', 'nobody', '', 'its answer'],
  ['a leaked key', { status: 403, body: error({ message: 'Your API key was reported as leaked. Please use another API key.' })}, 'auth', 'one quarantined', 'until proven', 'another key'],
  ['a suspended project', { status: 403, body: reason('CONSUMER_SUSPENDED') }, 'auth', 'one quarantined', 'until proven', 'another key'],
  ['another project’s file', { status: 403, body: error({ message: 'You do not have permission to access the File abc or it may not exist.' })}, 'caller', 'nobody', '', 'its answer'],
  ['a region without service', { status: 400, body: error({ message: 'User location is not supported for the API use.' }) }, 'server', 'eu ejected', '15 s', 'another endpoint'],
  ['a limit per minute', { status: 429, body: quota(PER_MINUTE) }, 'rate-limit', 'one cooling', '32 s', 'another key'],
  ['a limit per minute and a longer Retry-After', { status: 429, headers: { 'retry-after': '50' }, body: quota(PER_MINUTE) }, 'rate-limit', 'one cooling', '50 s', 'another key'],
  ['a limit per day, until midnight in California', { status: 429, body: quota(PER_DAY) }, 'exhausted', 'one exhausted', '12 h', 'another key'],
  ['limits per minute and per day', { status: 429, body: quota(PER_MINUTE, PER_DAY) }, 'exhausted', 'one exhausted', '12 h', 'another key'],
  ['a limit per day in a stream’s list', { status: 429, body: [quota(PER_DAY)] }, 'exhausted', 'one exhausted', '12 h', 'another key'],
  ['a limit of one model', { status: 429, body: quota(PER_DAY), model: 'gemini-2.5-pro' }, 'exhausted', 'one for gemini-2.5-pro', '12 h', 'another key'],
  ['no credit', { status: 429, body: error({ message: 'Your prepayment credits are depleted.' }) }, 'exhausted', 'one exhausted', '1 h', 'another key'],
  ['a limit that says nothing', { status: 429, body: error({ message: 'Resource has been exhausted (e.g. check quota).' }) }, 'rate-limit', 'one cooling', '1 s', 'another key'],
  ['an overload', { status: 503, body: error({ status: 'UNAVAILABLE' }) }, 'server', 'eu ejected', '15 s', 'another endpoint'],
];

// prettier-ignore
const ANTHROPIC: readonly Row[] = [
  ['an invalid key', { status: 401, body: claude('authentication_error') }, 'auth', 'one quarantined', 'until proven', 'another key'],
  ['no permission', { status: 403, body: claude('permission_error') }, 'caller', 'nobody', '', 'its answer'],
  ['no credit, which is a 400', { status: 400, body: claude('invalid_request_error', 'Your credit balance is too low to access the Anthropic API.')}, 'exhausted', 'one exhausted', '1 h', 'another key'],
  ['a spend limit with its end', { status: 400, body: claude('invalid_request_error', 'You have reached your specified API usage limits. You will regain access on 2026-01-17 at 00:00 UTC.')}, 'exhausted', 'one exhausted', '28 h', 'another key'],
  ['the tier’s spend cap', { status: 429, body: claude('rate_limit_error', '', { details: { error_code: 'enforced_spend_limit_reached' } })}, 'exhausted', 'one exhausted', '16 d 4 h', 'another key'],
  ['billing', { status: 402, body: claude('billing_error') }, 'exhausted', 'one exhausted', '1 h', 'another key'],
  ['a rate limit', { status: 429, body: claude('rate_limit_error'), headers: { 'retry-after': '11', 'anthropic-ratelimit-requests-reset': '2026-01-15T20:01:00Z' }}, 'rate-limit', 'one cooling', '11 s', 'another key'],
  ['a rate limit by counters', { status: 429, headers: { 'anthropic-ratelimit-tokens-remaining': '0', 'anthropic-ratelimit-tokens-reset': '2026-01-15T20:00:40Z'}}, 'rate-limit', 'one cooling', '40 s', 'another key'],
  ['a wrong input', { status: 400, body: claude('invalid_request_error', 'max_tokens: field required') }, 'caller', 'nobody', '', 'its answer'],
  ['an overload', { status: 529, body: claude('overloaded_error') }, 'server', 'eu ejected', '15 s', 'another endpoint'],
];

// prettier-ignore
const AZURE: readonly Row[] = [
  ['an invalid key', { status: 401, body: error({ code: '401', message: 'Access denied due to invalid subscription key or wrong API endpoint.'})}, 'auth', 'one quarantined', 'until proven', 'another key'],
  ['no role', { status: 401, body: error({ code: 'PermissionDenied', message: 'Principal does not have access to API/Operation.' })}, 'caller', 'nobody', '', 'its answer'],
  ['a firewall', { status: 403, body: error({ message: 'Access denied due to Virtual Network/Firewall rules.' }) }, 'server', 'eu ejected', '15 s', 'another endpoint'],
  ['a used-up volume', { status: 403, body: error({ message: 'Out of call volume quota. Quota will be replenished in 1.02:30:00.' })}, 'exhausted', 'one exhausted', '26 h 30 min', 'another key'],
  ['no such deployment', { status: 404, body: error({ code: 'DeploymentNotFound' }) }, 'caller', 'nobody', '', 'its answer'],
  ['a filtered prompt', { status: 400, body: error({ code: 'content_filter' }) }, 'caller', 'nobody', '', 'its answer'],
  ['a rate limit', { status: 429, headers: { 'retry-after': '1', 'retry-after-ms': '640' }, body: error({ code: '429' }) }, 'rate-limit', 'one cooling', '640 ms', 'another key'],
  ['a gateway’s limit', { status: 429, body: error({ message: 'Rate limit is exceeded. Try again in 26 seconds.' }) }, 'rate-limit', 'one cooling', '26 s', 'another key'],
];

// prettier-ignore
const ERRORS: readonly Row[] = [
  ['a refused connection', { error: coded('ECONNREFUSED') }, 'network', 'eu ejected', '15 s', 'another endpoint'],
  ['an unknown host', { error: coded('ENOTFOUND') }, 'network', 'eu ejected', '15 s', 'another endpoint'],
  ['no host found anywhere', { error: coded('EAI_AGAIN'), everywhere: true }, 'network', 'nobody', '', 'another endpoint'],
  ['no route anywhere', { error: coded('ENETUNREACH'), everywhere: true }, 'network', 'nobody', '', 'another endpoint'],
  ['all refused, which is no lost network', { error: coded('ECONNREFUSED'), everywhere: true }, 'network', 'eu, us ejected', '15 s', 'another endpoint'],
  ['too many open files', { error: coded('EMFILE') }, 'network', 'nobody', '', 'another endpoint'],
  ['an expired certificate', { error: new TypeError('fetch failed', { cause: coded('CERT_HAS_EXPIRED') }) }, 'network', 'eu ejected', '15 s', 'another endpoint'],
  ['a cut connection', { error: coded('ECONNRESET') }, 'network', 'eu ejected', '15 s', 'another endpoint'],
  ['both addresses of a host refused', { error: new AggregateError([coded('ENETUNREACH'), coded('ECONNREFUSED')]) }, 'network', 'eu ejected', '15 s', 'another endpoint'],
  ['no connection in time', { error: coded('UND_ERR_CONNECT_TIMEOUT') }, 'timeout', 'eu ejected', '15 s', 'another endpoint'],
  ['no answer in time', { error: coded('UND_ERR_HEADERS_TIMEOUT') }, 'timeout', 'eu ejected', '15 s', 'another endpoint'],
  ['a refusal as Playwright says it', { error: new Error('apiRequestContext.get: connect ECONNREFUSED 127.0.0.1:1') }, 'network', 'eu ejected', '15 s', 'another endpoint'],
  ['a refusal as Chromium says it', { error: new Error('page.goto: net::ERR_CONNECTION_REFUSED at http://eu.test/') }, 'network', 'eu ejected', '15 s', 'another endpoint'],
  ['a machine that is offline', { error: new Error('net::ERR_INTERNET_DISCONNECTED') }, 'network', 'nobody', '', 'another endpoint'],
  ['a proxy that refuses', { error: new Error('Proxy response (403) !== 200 when HTTP Tunneling') }, 'network', 'eu ejected', '15 s', 'another endpoint'],
  ['the caller’s abort', { error: new DOMException('This operation was aborted', 'AbortError') }, 'caller', 'nobody', '', 'its error'],
  ['a closed page', { error: new Error('Target page, context or browser has been closed') }, 'caller', 'nobody', '', 'its error'],
  ['an address that is none', { error: coded('ERR_INVALID_URL') }, 'caller', 'nobody', '', 'its error'],
];

const under = (protocol: Protocol, rows: readonly Row[]): Row[] =>
  rows.map(([what, given, ...rest]) => [what, { ...given, protocol }, ...rest] as Row);

const TABLE = [
  ...under('http', HTTP),
  ...under('openai', OPENAI),
  ...under('gemini', GEMINI),
  ...under('anthropic', ANTHROPIC),
  ...under('azure-openai', AZURE),
  ...under('http', ERRORS),
].map(([what, given, kind, blamed, lasts, gets]) => ({
  what,
  given,
  protocol: given.protocol!,
  kind,
  blamed,
  lasts,
  gets,
}));

describe('the fault table', () => {
  it.each(TABLE)('under $protocol takes $what for $kind; blamed: $blamed, $lasts', async (row) => {
    const { given, kind, blamed, lasts, gets } = row;
    const world = worldOf(given);
    const attempted = await judged(given);
    world.request('a', { ...attempted, signature: 'GET /it' });
    if (given.everywhere) world.request('a', { ...attempted, signature: 'GET /it', endpoint: 'us#e' });
    expect({ kind: attempted.kind, ...blameIn(world, given) }).toEqual({ kind, blamed, lasts });
    expect(given.everywhere ? gets : whatNext(world, attempted, given)).toBe(gets);
  });

  it('has a row for every way to fail', () => {
    expect(TABLE.length).toBeGreaterThanOrEqual(60);
  });
});

describe('a POST that failed', () => {
  it.each<[string, Given, boolean]>([
    ['may be repeated where nothing was sent', { error: coded('ECONNREFUSED') }, true],
    ['may be repeated where no connection came about', { error: coded('UND_ERR_CONNECT_TIMEOUT') }, true],
    ['is not repeated where it may have arrived', { error: coded('ECONNRESET') }, false],
    ['is not repeated where the server was slow', { error: coded('UND_ERR_HEADERS_TIMEOUT') }, false],
    ['is not repeated where the server failed', { status: 503 }, false],
    ['is not repeated where a product refused it', { status: 429 }, false],
    ['may be repeated where a vendor refused its key', { status: 429, protocol: 'openai' }, true],
  ])('%s', async (_, given, repeatable) => {
    const call = { method: 'POST', path: '/it', payload: 0, signature: null, ownsRetries: true };
    expect(isRepeatable(call, await judged(given), given.protocol ?? 'http')).toBe(repeatable);
  });
});

function worldOf({ protocol = 'http', model }: Given): World {
  const world = new World(
    poolSpec({
      protocol,
      endpoints: [endpoint('eu'), endpoint('us')],
      keys: [key('one'), key('two')],
      maxFailures: 1,
    }),
  );
  world.now = NOW;
  world.acquireLease('a', model === undefined ? {} : { need: { model } });
  expect(world.on('a')).toBe('eu/one');
  return world;
}

/** What one attempt came to, by the tables of `src/http`. */
async function judged({
  protocol = 'http',
  status,
  body,
  headers = {},
  error,
  classify = [],
  auth,
}: Given): Promise<DescribedOutcome> {
  const common = { durationMs: null, auth: auth ?? 'leased', message: null } as const;
  if (status === undefined) {
    const { kind, unsent, local } = faultOf(error)!;
    return { ...common, kind, status: null, retryAfterMs: null, unsent, local };
  }
  const text = typeof body === 'string' ? body : JSON.stringify(body ?? {});
  const answer = { status, headers, body: () => Promise.resolve(text) };
  const { kind, retryAfterMs, perModel } = await meaningOf(answer, protocol, classify, NOW);
  return { ...common, kind, status, durationMs: 10, retryAfterMs, perModel, unsent: false };
}

/** Who is out now, and for how long, as the broker's state has it. */
function blameIn(world: World, { model }: Given): { blamed: string; lasts: string } {
  const members = [...world.pool.members.values()];
  const out = members.filter(({ health }) => health.state !== 'healthy');
  const { health } = out[0] ?? {};
  if (health) {
    const until = 'until' in health ? duration(health.until - NOW) : 'until proven';
    return { blamed: `${out.map(({ name }) => name).join(', ')} ${health.state}`, lasts: until };
  }
  const cooling = members.find((member) => (member.modelLimits.get(model ?? '')?.coolUntil ?? 0) > NOW);
  if (cooling) {
    const { coolUntil } = cooling.modelLimits.get(model ?? '')!;
    return { blamed: `${cooling.name} for ${model}`, lasts: duration(coolUntil - NOW) };
  }
  const suspect = members.find(({ refusals }) => refusals > 0);
  return { blamed: suspect ? `${suspect.name}, suspected` : 'nobody', lasts: '' };
}

/** What the caller of a GET gets: what came back, or what comes of another member. */
function whatNext(world: World, attempted: DescribedOutcome, { protocol = 'http' }: Given): string {
  const call = { method: 'GET', path: '/it', payload: 0, signature: 'GET /it' };
  if (isSuccess(attempted) || !isRepeatable(call, attempted, protocol))
    return attempted.status === null ? 'its error' : 'its answer';
  const isKeys = ['auth', 'rate-limit', 'exhausted'].includes(attempted.kind);
  world.moveLease('a', [isKeys ? 'one#k' : 'eu#e'], attempted.kind, attempted.unsent);
  if (world.on('a') === 'eu/two') return 'another key';
  return world.on('a') === 'us/one' ? 'another endpoint' : `${world.on('a')}`;
}
