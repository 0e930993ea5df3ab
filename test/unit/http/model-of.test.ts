import { describe, expect, it } from 'vitest';
import { modelOf } from '../../../src/http/model-of.ts';

describe('the model of a request', () => {
  it.each([
    [
      'openai',
      '/v1/chat/completions',
      '{"model":"gpt-5","messages":[{"content":"{\\"model\\":\\"x\\"}"}]}',
      'gpt-5',
    ],
    ['openai', '/v1/chat/completions', '{"messages":[]}', null],
    ['openai', '/v1/chat/completions', 'no JSON', null],
    ['openai', '/v1/chat/completions', new Uint8Array(9), null],
    ['openai', '/v1/models', null, null],
    ['openai', '/v1/responses', `{"input":"${'x'.repeat(1_000_001)}", "model": "gpt-5"}`, 'gpt-5'],
    ['anthropic', '/v1/messages', '{"model":"claude-haiku-4-5"}', 'claude-haiku-4-5'],
    ['gemini', '/v1beta/models/gemini-2.5-pro:generateContent', '{"model":"x"}', 'gemini-2.5-pro'],
    ['gemini', '/v1beta/models/gemini-2.5-pro:streamGenerateContent?alt=sse', null, 'gemini-2.5-pro'],
    ['gemini', '/v1beta/models?pageSize=1', null, null],
    ['azure-openai', '/openai/deployments/my%20gpt/chat/completions', '{"model":"gpt-5"}', 'my gpt'],
    ['azure-openai', '/openai/v1/responses', '{"model":"gpt-5"}', 'gpt-5'],
    ['http', '/v1/chat/completions', '{"model":"gpt-5"}', null],
  ] as const)('of %s at %s is read', (protocol, path, body, model) => {
    expect(modelOf(protocol, path, body)).toBe(model);
  });
});
