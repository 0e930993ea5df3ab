import { describe, expect, it } from 'vitest';
import { checkSource } from '../../../src/config/load.ts';
import { sourceOf } from '../../../src/config/source.ts';
import { meaningOf } from '../../../src/http/classify.ts';
import { readErrorBody } from '../../../src/http/error-body.ts';
import { faultOf } from '../../../src/http/fault.ts';
import { modelOf } from '../../../src/http/model-of.ts';
import { explicitWaitMs, resetMs } from '../../../src/http/retry-after.ts';
import { durationMs, momentMs } from '../../../src/http/time-formats.ts';
import { plainLine, plainText } from '../../../src/shared/sanitize.ts';
import { createRedactor } from '../../../src/shared/redact.ts';
import { splitLines } from '../../../src/wire/lines.ts';

const redact = createRedactor([
  { name: 'api/k', value: 'a-secret-value' },
  { name: 'api/k', value: 'aaaa' },
]);
const PROTOCOLS = ['http', 'openai', 'gemini', 'anthropic', 'azure-openai'] as const;

const drip = (text: string): void => {
  const read = splitLines(
    () => {},
    () => {},
  );
  for (const sign of text) read(sign);
};
const check = (text: string): void => {
  try {
    checkSource(sourceOf([{ path: '/x/gemba.config.json', text }]));
  } catch {
    // What is wrong is not the question.
  }
};
const judgeAll = async (text: string): Promise<void> => {
  const headers = { 'retry-after': text, ratelimit: text, 'x-ratelimit-reset-requests': text, date: text };
  for (const protocol of PROTOCOLS)
    for (const status of [400, 401, 403, 429, 503])
      await meaningOf({ status, headers, body: () => Promise.resolve(text) }, protocol, [], 0);
};

/** What reads texts of others, each with what it would stumble over; made longer by repetition. */
const READERS: readonly [name: string, read: (text: string) => unknown, ...parts: string[]][] = [
  ['redact', redact, 'a', 'aaaa', '?key=', 'a://', '://a@', '?key=[key ', '[key a', '&token=x', 'a://a:'],
  ['plainLine', plainLine, ' ', '\u001B', '#', ':', ' \n'],
  ['plainText', plainText, ' ', '\n', ':\n', '##'],
  ['retry-after', (text) => explicitWaitMs({ 'retry-after': text, date: text }, 0), '1', ' ', '1.', 'Mon, '],
  [
    'counters',
    (text) => resetMs({ ratelimit: text, 'ratelimit-reset': text }, 0),
    ';r=0',
    '; ',
    ',',
    '1m',
    '1',
  ],
  ['durations', durationMs, '1m', '1', '1.1', 'ms', '1ms1'],
  ['moments', momentMs, 'A', '1', '2020-01-01T', ' '],
  ['error bodies', readErrorBody, '"code": "a"', '"code" ', '"code":', '[', '{"error":', '"type":"'],
  ['errors', (text) => faultOf(new Error(text)), 'net::ERR_', 'connect ', 'E', 'ECONN '],
  [
    'models',
    (text) => modelOf('openai', '/v1/chat/completions', text.padEnd(1_000_001)),
    '"model":"',
    '"model" ',
  ],
  ['models in paths', (text) => modelOf('gemini', text, null), '/models/', 'models', ':'],
  ['answers', judgeAll, 'per day ', 'spend ', '"code":"a",', 'credits are ', 'api key ', '{"error":', '1'],
  ['lines that drip', drip, 'x', '[', 'x\n'],
  ['configurations', check, '@\n', '@ ', '{"pools":[@\n', '"a":1,', '//\n', '${'],
];
const SMALL = 20_000;
const TIMES = 8;
/** Linear is 8 times as long; a square, 64. Between the two, with room for a machine that does something else. */
const MOST = 32;
/** Shorter than this nothing is told from noise, and it is no harm either. */
const HARMLESS_MS = 150;

async function timeOf(read: (text: string) => unknown, text: string): Promise<number> {
  const { user, system } = process.cpuUsage();
  await read(text);
  const spent = process.cpuUsage({ user, system });
  return (spent.user + spent.system) / 1000;
}

describe('the time for reading a text of others grows with its length, not faster', () => {
  it.each(READERS)('%s', { timeout: 120_000 }, async (_name, read, ...parts) => {
    for (const part of parts) {
      const [small, large] = [SMALL, SMALL * TIMES].map((length) => part.repeat(length / part.length));
      await read(small!);
      const least = async (text: string): Promise<number> =>
        Math.min(await timeOf(read, text), await timeOf(read, text), await timeOf(read, text));
      const [before, after] = [await least(small!), await least(large!)];
      if (after > HARMLESS_MS) expect(after / Math.max(before, 1), JSON.stringify(part)).toBeLessThan(MOST);
    }
  });
});
