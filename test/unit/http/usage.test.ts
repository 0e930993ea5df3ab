import { describe, expect, it } from 'vitest';
import { expectedTokens, UsageReader } from '../../../src/http/usage.ts';

const tokensOf = (text: string, type = 'application/json', size = 7): number | null => {
  const reader = new UsageReader(type);
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += size) reader.add(bytes.subarray(at, at + size));
  return reader.end();
};
const events = (...values: object[]): string =>
  `: a comment\r\n${values.map((value) => `event: x\r\ndata: ${JSON.stringify(value)}\r\n\r\n`).join('')}data: [DONE]\n\n`;
const EVENTS = 'text/event-stream; charset=utf-8';

describe('the usage of an answer', () => {
  it.each([
    ['OpenAI and Azure', { usage: { prompt_tokens: 5, completion_tokens: 7, total_tokens: 12 } }, 12],
    ['OpenAI, responses', { usage: { input_tokens: 5, output_tokens: 7, total_tokens: 12 } }, 12],
    ['Anthropic', { usage: { input_tokens: 5, output_tokens: 7, cache_read_input_tokens: 3 } }, 15],
    ['Gemini', { usageMetadata: { promptTokenCount: 5, candidatesTokenCount: 7, totalTokenCount: 14 } }, 14],
    ['none', { choices: [] }, null],
    ['one that makes no sense', { usage: { total_tokens: 'many' } }, null],
  ])('%s', (_, answer, tokens) => {
    expect(tokensOf(JSON.stringify(answer))).toBe(tokens);
  });

  it('is read from events, whose parts come in any pieces', () => {
    const openai = events(
      { choices: [{ delta: { content: 'né"usage"' } }], usage: null },
      { usage: { total_tokens: 12 } },
    );
    for (const size of [1, 3, 1_000]) expect(tokensOf(openai, EVENTS, size)).toBe(12);
    const responses = events({ type: 'response.completed', response: { usage: { total_tokens: 9 } } });
    expect(tokensOf(responses, EVENTS)).toBe(9);
    const anthropic = events(
      { type: 'message_start', message: { usage: { input_tokens: 25, output_tokens: 1 } } },
      { type: 'message_delta', usage: { output_tokens: 15 } },
    );
    expect(tokensOf(anthropic, EVENTS)).toBe(40);
    const gemini = [{ usageMetadata: { totalTokenCount: 3 } }, { usageMetadata: { totalTokenCount: 30 } }];
    expect(tokensOf(events(...gemini), EVENTS)).toBe(30);
    expect(tokensOf(JSON.stringify(gemini))).toBe(30);
    expect(tokensOf(events({ choices: [] }), EVENTS)).toBeNull();
  });

  it('is not known of a text that is broken, or endless', () => {
    expect(tokensOf('{"usage": {"total_tokens": 1')).toBeNull();
    const reader = new UsageReader('application/json');
    for (let part = 0; part < 12; part++) reader.add(Buffer.alloc(1_000_000, 'x'));
    expect(reader.end()).toBeNull();
  });
});

describe('the expected tokens of a request', () => {
  it('are those of its prompt and what it allows for the answer', () => {
    const body = (more: object): string => JSON.stringify({ messages: ['x'.repeat(4_000)], ...more });
    for (const name of ['max_tokens', 'max_completion_tokens', 'max_output_tokens'])
      expect(expectedTokens(body({ [name]: 2_000 }))).toBeCloseTo(3_010, -2);
    expect(expectedTokens(body({ generationConfig: { maxOutputTokens: 2_000 } }))).toBeCloseTo(3_015, -2);
    expect(expectedTokens(body({}))).toBeGreaterThan(1_000);
  });

  it('do not take the text of a picture for its tokens', () => {
    const image = `data:image/png;base64,${'iVBORw0KGgo'.repeat(50_000)}`;
    expect(expectedTokens(JSON.stringify({ image, max_tokens: 10 }))).toBeLessThan(1_200);
  });

  it('are none without a text', () => {
    for (const body of [undefined, '', new Uint8Array(3), 'name=value']) expect(expectedTokens(body)).toBe(0);
  });
});
