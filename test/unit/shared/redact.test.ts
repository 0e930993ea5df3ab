import { describe, expect, test } from 'vitest';
import { createRedactor } from '../../../src/shared/redact.ts';

const SECRET = 's3cr3t/+ "näme"&';

describe('A redactor of known secrets', () => {
  const redact = createRedactor([
    { name: 'ci-1', value: SECRET },
    { name: 'ci-1', value: `qa1:${SECRET}` },
    { name: 'long', value: 'abcdefgh' },
    { name: 'short', value: 'a1-b2' },
    { name: 'word', value: 'order' },
    { name: 'tiny', value: 'xyz' },
    { name: 'twin', value: 'abcdefgh' },
  ]);

  test.each<[string, string]>([
    ['as it is', SECRET],
    ['in an address', encodeURIComponent(SECRET)],
    [
      'in an address, in small letters',
      encodeURIComponent(SECRET)
        .toLowerCase()
        .replace(/%c3%a4/, '%c3%a4'),
    ],
    ['in an address within an address', encodeURIComponent(encodeURIComponent(SECRET))],
    ['in a form', new URLSearchParams({ v: SECRET }).toString().slice(2)],
    ['in JSON', JSON.stringify(SECRET).slice(1, -1)],
    ['in HTML', 's3cr3t/+ &quot;näme&quot;&amp;'],
    ['in base64', Buffer.from(SECRET).toString('base64')],
    ['in base64 without padding', Buffer.from(SECRET).toString('base64').replace(/=/g, '')],
    ['in base64url', Buffer.from(SECRET).toString('base64url')],
    ['in a basic header', Buffer.from(`qa1:${SECRET}`).toString('base64')],
  ])('names one %s', (_, form) => expect(redact(`<${form}>`)).toBe('<[key ci-1]>'));

  test('takes the longest, each time it occurs', () => {
    expect(redact('abcdefgh xabcdefghx abcdefg')).toBe('[key long] x[key long]x abcdefg');
  });

  test('takes a short one only where it stands alone', () => {
    expect(redact('/bot/a1-b2/me a1-b2c "a1-b2"')).toBe('/bot/[key short]/me a1-b2c "[key short]"');
  });

  test('leaves ordinary words, and what is too short to be a secret', () => {
    expect(redact('order reorder xyz')).toBe('order reorder xyz');
  });

  test('leaves what it has named before', () => {
    const named = createRedactor([{ name: 'api/ci-1 (password)', value: 'hunter2-hunter2' }]);
    expect(named(named('/x?token=hunter2-hunter2'))).toBe('/x?token=[key api/ci-1 (password)]');
  });

  test('leaves other texts alone', () => {
    const text = 'GET https://a.test/orders?page=2 answered 503 after 812 ms: "no keys at all"';
    expect(redact(text)).toBe(text);
  });

  test('does not trip over half a character', () => {
    expect(createRedactor([{ name: 'odd', value: 'half\ud800' }])('half\ud800!')).toBe('[key odd]!');
  });

  test('takes secrets for texts, not for patterns', () => {
    const odd = createRedactor([{ name: 'odd', value: 'a.c$|[x]{2}(^)\\-*+?' }]);
    expect(odd('abc a.c$|[x]{2}(^)\\-*+?')).toBe('abc [key odd]');
  });
});

describe('A redactor of addresses', () => {
  const redact = createRedactor([{ name: 'ci-1', value: 'known-secret' }]);

  test.each([
    ['https://user:pass@a.test/x', 'https://a.test/x'],
    ['https://user@a.test', 'https://a.test'],
    ['https://us:p@ss@a.test:81/@x', 'https://a.test:81/@x'],
    ['(redis://:known-secret@h:6379/0)', '(redis://h:6379/0)'],
    ['https://a.test/?x=user@b.test', 'https://a.test/?x=user@b.test'],
    ['mail qa@a.test', 'mail qa@a.test'],
  ])('takes the user out of %s', (text, expected) => expect(redact(text)).toBe(expected));

  test.each([
    ['https://a.test/?key=k1&page=2', 'https://a.test/?key=[redacted]&page=2'],
    [
      '/x?a=1&api_key=k&apikey=k&token=k#top',
      '/x?a=1&api_key=[redacted]&apikey=[redacted]&token=[redacted]#top',
    ],
    ['?access_token=k&sig=k&signature=k', '?access_token=[redacted]&sig=[redacted]&signature=[redacted]'],
    ['?password=k&secret=k&AUTH=k', '?password=[redacted]&secret=[redacted]&AUTH=[redacted]'],
    ['"/x?page=1&amp;key=k"', '"/x?page=1&amp;key=[redacted]"'],
    ['/x?key=known-secret&token=known-secret-not', '/x?key=[key ci-1]&token=[redacted]'],
    ['/x?keyword=k&monkey=k&key=', '/x?keyword=k&monkey=k&key='],
  ])('takes secret parameters out of %s', (text, expected) => expect(redact(text)).toBe(expected));

  test('works without any known secret', () => {
    expect(createRedactor([])('https://u:p@a.test/?key=k')).toBe('https://a.test/?key=[redacted]');
  });

  test('is quick with long texts', () => {
    const start = performance.now();
    for (const part of ['a.', '://', 'https://', '?key=', '[key ', 'a@']) redact(part.repeat(200_000));
    expect(performance.now() - start).toBeLessThan(2000);
  });

  test('takes out what base64 of a longer text shows of a secret, wherever it begins', () => {
    const value = 'canary-value-61f0/+&';
    const own = createRedactor([
      { name: 'api/k', value },
      { name: 'api/k', value: 'shorty' },
    ]);
    for (const user of ['', 'a', 'ab', 'abc']) {
      const text = Buffer.from(`${user}:${value};`).toString('base64');
      expect(own(`Basic ${text}`)).toMatch(/^Basic [\w+/=]*\[key api\/k\][\w+/=]*$/);
    }
    expect(own(Buffer.from('x:shorty').toString('base64'))).not.toContain('[key');
  });
});
