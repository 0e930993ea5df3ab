import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { classifyStatus, meaningOf } from '../../../src/http/classify.ts';
import { credentialsOf } from '../../../src/http/auth.ts';

describe('a status under plain HTTP', () => {
  it.each([
    [200, 'ok'],
    [204, 'ok'],
    [302, 'ok'],
    [400, 'caller'],
    [401, 'auth'],
    [402, 'exhausted'],
    [403, 'auth'],
    [404, 'caller'],
    [408, 'timeout'],
    [409, 'caller'],
    [422, 'caller'],
    [429, 'rate-limit'],
    [500, 'server'],
    [502, 'server'],
    [503, 'server'],
    [504, 'server'],
  ])('%i is %s', (status, kind) => {
    expect(classifyStatus(status)).toBe(kind);
  });
});

describe('an answer', () => {
  const answer = (status: number, body = '', headers = {}): Parameters<typeof meaningOf>[0] => ({
    status,
    headers,
    body: () => Promise.resolve(body),
  });

  it.each([
    ['openai', 429, '{"error":{"code":"insufficient_quota"}}', 'exhausted'],
    ['openai', 429, '{"error":{"code":"rate_limit_exceeded"}}', 'rate-limit'],
    ['gemini', 400, '{"error":{"details":[{"reason":"API_KEY_INVALID"}]}}', 'auth'],
    ['gemini', 400, '{"error":{"message":"bad request"}}', 'caller'],
    ['gemini', 429, '{"quotaId":"GenerateRequestsPerDayPerProjectPerModel-FreeTier"}', 'exhausted'],
    ['anthropic', 400, '{"error":{"message":"Your credit balance is too low"}}', 'exhausted'],
    ['http', 400, 'API_KEY_INVALID', 'caller'],
    [
      'gemini',
      429,
      '{"error": {"details": [{"violations": [{"quotaId": "GenerateRequestsPerDay", "quota',
      'exhausted',
    ],
  ] as const)('of %s with %i and %s is %s', async (protocol, status, body, kind) => {
    expect((await meaningOf(answer(status, body), protocol, [], 0)).kind).toBe(kind);
  });

  it('is judged by the rules of the configuration first', async () => {
    const rules = [
      { status: 429, body: 'insufficient', as: 'exhausted' },
      { body: 'maintenance', as: 'server' },
      { status: 418, header: 'x-reason: brewing', as: 'rate-limit' },
    ] as const;
    const kinds = [
      answer(429, 'insufficient funds'),
      answer(429, 'slow down'),
      answer(404, 'in maintenance'),
      answer(200, 'in maintenance'),
      answer(418, '', { 'x-reason': 'still brewing' }),
      answer(418),
    ].map((one) => meaningOf(one, 'http', rules, 0));
    expect((await Promise.all(kinds)).map(({ kind }) => kind)).toEqual([
      'exhausted',
      'rate-limit',
      'server',
      'ok',
      'rate-limit',
      'caller',
    ]);
  });

  it('asks to wait by its counters only where it is about a limit', async () => {
    const headers = { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '50' };
    const waits = [429, 500, 200].map((status) => meaningOf(answer(status, '', headers), 'http', [], 0));
    expect((await Promise.all(waits)).map(({ retryAfterMs: ms }) => ms)).toEqual([50_000, null, null]);
    const busy = await meaningOf(answer(503, '', { 'retry-after': '3' }), 'http', [], 0);
    expect(busy.retryAfterMs).toBe(3_000);
  });

  it('has its body read only where a rule looks at it', async () => {
    const body = (): never => {
      throw new Error('read for nothing');
    };
    const rules = [{ status: 429, body: 'x', as: 'exhausted' }] as const;
    expect((await meaningOf({ status: 200, headers: {}, body }, 'openai', rules, 0)).kind).toBe('ok');
  });
});

describe('Retry-After', () => {
  const { TZ } = process.env;
  // A date without a zone would be read as local time, which is UTC on most machines of CI.
  beforeAll(() => void (process.env['TZ'] = 'America/New_York'));
  afterAll(() => (TZ === undefined ? delete process.env['TZ'] : (process.env['TZ'] = TZ)));

  const now = Date.parse('2026-01-01T00:00:00Z');
  it.each([
    [{ 'retry-after': '7' }, 7_000],
    // Rounded down by the server: no hint.
    [{ 'retry-after': '0' }, null],
    [{ 'retry-after-ms': '0', 'retry-after': '2' }, 2_000],
    [{ 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '0' }, null],
    // Of several the latest counts.
    [{ 'retry-after': '2, 9' }, 9_000],
    [{ 'retry-after': '2, Thu, 01 Jan 2026 00:00:30 GMT' }, 30_000],
    [{ 'retry-after': 'Thursday, 01-Jan-26 00:00:30 GMT, Thu, 01 Jan 2026 00:00:20 GMT, soon, 0' }, 30_000],
    // The asctime form has no zone and means UTC.
    [{ 'retry-after': 'Thu Jan  1 00:00:30 2026' }, 30_000],
    [{ 'x-ratelimit-reset': '2026-01-01T00:00:30' }, 30_000],
    [{ 'retry-after': '1.5' }, 1_500],
    [{ 'retry-after': 'Thu, 01 Jan 2026 00:00:30 GMT' }, 30_000],
    [{ 'retry-after': 'Wed, 31 Dec 2025 23:00:00 GMT' }, null],
    [{ 'retry-after-ms': '250', 'retry-after': '7' }, 250],
    [{ 'x-ms-retry-after-ms': '300' }, 300],
    [{ 'retry-after': 'soon' }, null],
    [{ 'retry-after': '-3' }, null],
    [{ 'retry-after': 'NaN' }, null],
    [{ 'retry-after': '99999999' }, null],
    [{ 'retry-after': 'Fri, 01 Jan 2126 00:00:00 GMT' }, null],
    // Its clock is an hour ahead of ours, and says so.
    [{ 'retry-after': 'Thu, 01 Jan 2026 01:00:30 GMT', date: 'Thu, 01 Jan 2026 01:00:00 GMT' }, 30_000],
    [{ 'retry-after': '2', 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '50' }, 2_000],
    [{ 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '50' }, 50_000],
    [{ 'x-ratelimit-remaining': '3', 'x-ratelimit-reset': '50' }, null],
    [{ 'x-ratelimit-reset': '1767225660' }, 60_000],
    [{ 'x-ratelimit-reset': '1767225660000' }, 60_000],
    [{ 'x-ratelimit-reset': '1767225540' }, null],
    [{ 'x-ratelimit-reset-requests': '6m0s', 'x-ratelimit-reset-tokens': '120ms' }, 360_000],
    [
      {
        'x-ratelimit-remaining-requests': '59',
        'x-ratelimit-reset-requests': '1s',
        'x-ratelimit-remaining-tokens': '0',
        'x-ratelimit-reset-tokens': '1m2.5s',
      },
      62_500,
    ],
    [{ 'anthropic-ratelimit-requests-reset': '2026-01-01T00:00:09Z' }, 9_000],
    [{ 'anthropic-ratelimit-requests-reset': '2025-12-31T23:59:59Z' }, null],
    [{ 'ratelimit-remaining': '0', 'ratelimit-reset': '12' }, 12_000],
    [{ ratelimit: '"burst";r=0;t=7, "day";r=90;t=80000' }, 7_000],
    [{}, null],
  ])('%j asks for %s ms', async (headers, ms) => {
    const answer = {
      status: 429,
      headers: headers as Record<string, string>,
      body: () => Promise.resolve(''),
    };
    expect((await meaningOf(answer, 'http', [], now)).retryAfterMs).toBe(ms);
  });
});

describe('credentials', () => {
  const key = { value: 'user:pass', fields: {} };
  it.each([
    ['bearer', { headers: { authorization: 'Bearer user:pass' }, query: null }],
    ['basic', { headers: { authorization: 'Basic dXNlcjpwYXNz' }, query: null }],
    [{ header: 'X-Api-Key' }, { headers: { 'x-api-key': 'user:pass' }, query: null }],
    [{ query: 'key' }, { headers: {}, query: ['key', 'user:pass'] }],
    ['none', { headers: {}, query: null }],
  ] as const)('%j are %j', (style, credentials) => {
    expect(credentialsOf(style, key)).toEqual({ ...credentials, extra: {} });
    expect(credentialsOf(style, key, { 'X-Tenant': 'qa' })).toEqual({
      ...credentials,
      extra: { 'x-tenant': 'qa' },
    });
  });

  it('of an account are its user name and password', () => {
    const account = { value: '', fields: { username: 'qa', password: 'secret' } };
    expect(credentialsOf('basic', account).headers).toEqual({ authorization: `Basic ${btoa('qa:secret')}` });
  });

  it.each(['pässwörd', 'zażółć €🔑', ''])('of Basic authentication are UTF-8: %s', (password) => {
    const { headers } = credentialsOf('basic', { value: '', fields: { username: 'qa', password } });
    const [scheme, pair = ''] = headers['authorization']!.split(' ');
    expect([scheme, Buffer.from(pair, 'base64').toString('utf8')]).toEqual(['Basic', `qa:${password}`]);
  });
});
