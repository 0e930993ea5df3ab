import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { json, type SeenRequest, startServer, type TestServer } from './servers.ts';

/** Between two parts of a streamed answer. */
export const STREAM_PAUSE_MS = 300;
const BUSY_MS = 600;

/**
 * A server that speaks the wire formats of OpenAI, Azure OpenAI, Gemini and Anthropic, streams included. What a key comes to is in its
 * name: `fine…`, `revoked…`, `used…` (its quota is gone), `busy…` (throttled for 600 ms at its first call), `down…`
 * (503 always), `limited…` (throttled for 30 s at each call), `flaky…` (503 at its first call), `half…` (throttled for the model `scarce`).
 */
export async function vendorServer(): Promise<TestServer> {
  const calls = new Map<string, number>();
  return startServer(async (seen, response) => {
    const vendor = vendorOf(seen);
    if (!vendor) return json(response, 404, { error: { message: 'no such path' } });
    const key = vendor.key ?? '';
    const before = calls.get(key) ?? 0;
    calls.set(key, before + 1);
    if (key.startsWith('revoked') || key === '') return vendor.invalid(response);
    if (key.startsWith('used')) return vendor.used(response);
    if (key.startsWith('busy') && before === 0) return vendor.busy(response);
    if (key.startsWith('limited')) return vendor.busy(response, 30_000);
    if (key.startsWith('half') && `${seen.url} ${seen.body}`.includes('scarce'))
      return vendor.busy(response, 60_000);
    if (key.startsWith('down') || (key.startsWith('flaky') && before === 0))
      return json(response, 503, {
        error: { message: 'overloaded', type: 'overloaded_error', status: 'UNAVAILABLE' },
      });
    if (!vendor.streams) return json(response, 200, vendor.whole(key));
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    for (const part of vendor.parts(key)) {
      response.write(part);
      await sleep(STREAM_PAUSE_MS);
    }
    response.end(vendor.end);
  });
}

interface Vendor {
  readonly key: string | undefined;
  readonly streams: boolean;
  readonly invalid: (response: ServerResponse) => void;
  readonly used: (response: ServerResponse) => void;
  readonly busy: (response: ServerResponse, ms?: number) => void;
  readonly whole: (key: string) => unknown;
  readonly parts: (key: string) => string[];
  readonly end: string;
}

function vendorOf(seen: SeenRequest): Vendor | null {
  if (seen.url.startsWith('/v1/chat/completions')) return openai(seen);
  if (seen.url.startsWith('/v1beta/models/')) return gemini(seen);
  if (seen.url.startsWith('/openai/deployments/'))
    return openai({ ...seen, token: seen.headers['api-key']?.toString() ?? null });
  return seen.url.startsWith('/v1/messages') ? anthropic(seen) : null;
}

function openai({ token, body }: SeenRequest): Vendor {
  const model = 'gpt-test';
  const choice = (content: string): object => ({
    index: 0,
    delta: { role: 'assistant', content },
    finish_reason: null,
  });
  const chunk = (content: string): string =>
    `data: ${JSON.stringify({ id: '1', object: 'chat.completion.chunk', created: 1, model, choices: [choice(content)] })}\n\n`;
  return {
    key: token ?? undefined,
    streams: (JSON.parse(body) as { stream?: boolean }).stream === true,
    invalid: (response) =>
      json(response, 401, { error: { message: 'Incorrect API key provided', code: 'invalid_api_key' } }),
    used: (response) =>
      json(response, 429, {
        error: { message: 'You exceeded your current quota', code: 'insufficient_quota' },
      }),
    busy: (response, ms = BUSY_MS) =>
      json(
        response,
        429,
        { error: { message: 'Rate limit reached', code: 'rate_limit_exceeded' } },
        {
          'retry-after-ms': String(ms),
          'x-ratelimit-remaining-requests': '0',
          'x-ratelimit-reset-requests': `${ms}ms`,
        },
      ),
    whole: (key) => ({
      id: '1',
      object: 'chat.completion',
      created: 1,
      model,
      choices: [{ index: 0, message: { role: 'assistant', content: key }, finish_reason: 'stop' }],
    }),
    parts: (key) => [chunk('from '), chunk(key)],
    end: 'data: [DONE]\n\n',
  };
}

function gemini({ url, headers }: SeenRequest): Vendor {
  const whole = (text: string): object => ({
    candidates: [{ content: { role: 'model', parts: [{ text }] }, finishReason: 'STOP', index: 0 }],
  });
  const exhausted = (quotaId: string, retryDelay: string): object => ({
    error: {
      code: 429,
      status: 'RESOURCE_EXHAUSTED',
      message: 'You exceeded your current quota, please check your plan and billing details.',
      details: [
        { '@type': 'type.googleapis.com/google.rpc.QuotaFailure', violations: [{ quotaId }] },
        { '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay },
      ],
    },
  });
  return {
    key: headers['x-goog-api-key']?.toString(),
    streams: url.includes(':streamGenerateContent'),
    invalid: (response) =>
      json(response, 400, {
        error: {
          code: 400,
          status: 'INVALID_ARGUMENT',
          message: 'API key not valid. Please pass a valid API key.',
          details: [{ '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason: 'API_KEY_INVALID' }],
        },
      }),
    used: (response) =>
      json(response, 429, exhausted('GenerateRequestsPerDayPerProjectPerModel-FreeTier', '0.1s')),
    busy: (response, ms = BUSY_MS) =>
      json(response, 429, exhausted('GenerateRequestsPerMinutePerProjectPerModel', `${ms / 1000}s`)),
    whole,
    parts: (key) => ['from ', key].map((text) => `data: ${JSON.stringify(whole(text))}\n\n`),
    end: '',
  };
}

function anthropic({ headers, body }: SeenRequest): Vendor {
  const error = (type: string, message: string): object => ({ type: 'error', error: { type, message } });
  const message = {
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    model: 'claude-test',
    stop_reason: null,
  };
  const usage = { input_tokens: 1, output_tokens: 1 };
  const event = (data: { type: string }): string => `event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`;
  const delta = (text: string): string =>
    event({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text } } as { type: string });
  return {
    key: headers['x-api-key']?.toString(),
    streams: (JSON.parse(body) as { stream?: boolean }).stream === true,
    invalid: (response) => json(response, 401, error('authentication_error', 'invalid x-api-key')),
    used: (response) =>
      json(
        response,
        400,
        error('invalid_request_error', 'Your credit balance is too low to access the API.'),
      ),
    busy: (response, ms = BUSY_MS) =>
      json(response, 429, error('rate_limit_error', 'slow down'), { 'retry-after': String(ms / 1000) }),
    whole: (key) => ({ ...message, stop_reason: 'end_turn', content: [{ type: 'text', text: key }], usage }),
    parts: (key) => [
      event({ type: 'message_start', message: { ...message, content: [], usage } } as { type: string }) +
        event({ type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } } as {
          type: string;
        }) +
        delta('from '),
      delta(key),
    ],
    end:
      event({ type: 'content_block_stop', index: 0 } as { type: string }) + event({ type: 'message_stop' }),
  };
}
