import { describe, expect, test } from 'vitest';
import { configOfText } from '../../../src/config/load.ts';
import { pages } from './pages.ts';

const examples = pages().flatMap(({ path, blocks }) =>
  blocks
    .filter(({ language, text }) => language.startsWith('json') && text.includes('"pools"'))
    // The shape of a report is no configuration.
    .filter(({ text }) => !text.includes('"gemba-'))
    .map(({ text, line }) => ({ place: `${path}:${line}`, text })),
);

describe('A configuration that a page shows', () => {
  test('is in the pages that teach it', () => {
    expect(examples.length).toBeGreaterThan(5);
  });

  test.each(examples)('is valid: $place', ({ place, text }) => {
    const names = [...text.matchAll(/\$\{(\w+)\}|"fromEnv": "(\w+)"/g)].map((match) => match[1] ?? match[2]!);
    // A value that will do as a key, an account and an address.
    const env = Object.fromEntries(
      names.map((name) => [name, `https://${name.toLowerCase()}.example.test`.replaceAll('_', '-')]),
    );
    expect(() => configOfText(`/docs/${place}`, text, env)).not.toThrow();
  });
});
