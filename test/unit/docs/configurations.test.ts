import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { configOf } from '../../../src/config/load.ts';
import { sourceOf } from '../../../src/config/source.ts';
import { pages } from './pages.ts';

const examples = pages().flatMap(({ path, blocks }) =>
  blocks
    .filter(({ language, text }) => language.startsWith('json') && text.includes('"pools"'))
    // The shape of a report is no configuration.
    .filter(({ text }) => !text.includes('"gemba-'))
    .map(({ text, line }) => ({ place: `${path}:${line}`, text })),
);

const isOfPage = (example: { place: string }, place: string): boolean =>
  example.place.split(':')[0] === place.split(':')[0];

describe('A configuration that a page shows', () => {
  test('is in the pages that teach it', () => {
    expect(examples.length).toBeGreaterThan(5);
  });

  test.each(examples)('is valid: $place', ({ place, text }) => {
    const bases = [...text.matchAll(/"extends": "(?:\.\/)?([^"]+)"/g)].map(([, name]) => ({
      path: path.resolve('/docs', path.dirname(place), name!),
      text: examples.find((other) => isOfPage(other, place) && other.text.startsWith(`// ${name}\n`))!.text,
    }));
    const names = [
      ...[text, ...bases.map((base) => base.text)].join('\n').matchAll(/\$\{(\w+)\}|"fromEnv": "(\w+)"/g),
    ].map((match) => match[1] ?? match[2]!);
    // A value that will do as a key, an account and an address; a secret of one-time codes is base32.
    const env = Object.fromEntries(
      names.map((name) => [
        name,
        name.endsWith('_TOTP')
          ? 'JBSWY3DPEHPK3PXP'
          : `https://${name.toLowerCase()}.example.test`.replaceAll('_', '-'),
      ]),
    );
    const source = sourceOf([{ path: `/docs/${place}`, text }, ...bases]);
    expect(() => configOf(source, env)).not.toThrow();
  });
});
