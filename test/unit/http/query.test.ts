import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parameterOf, withoutParameter, withParameter } from '../../../src/http/query.ts';

const QUERIES = [
  '',
  '?flag',
  '?a=1&&b=2',
  '?q=a%20b+c',
  '?sig=a%2Bb%2Fc~d',
  '?e=%E2%82%AC',
  '??x=1',
  '?=',
  '?%',
];

describe('a query', () => {
  it.each(QUERIES)('keeps every byte where a parameter joins and leaves: %s', (query) => {
    const longer = withParameter(query, 'key', 'a+b &=?#%ü');
    expect(longer.startsWith(query)).toBe(true);
    expect(parameterOf(longer, 'key')).toBe('a+b &=?#%ü');
    expect(withoutParameter(longer, 'key', () => true)).toBe(query);
  });

  it('gives each name and value back as it was', () => {
    const text = fc.string({ unit: 'grapheme' }).filter((value) => !/\p{Surrogate}/u.test(value));
    fc.assert(
      fc.property(text, text, fc.constantFrom(...QUERIES), (name, value, query) => {
        fc.pre(name !== '' && parameterOf(query, name) === undefined);
        expect(parameterOf(withParameter(query, name, value), name)).toBe(value);
      }),
    );
  });

  it('keeps parameters of that name with another value', () => {
    expect(withoutParameter('?key=mine&x&key=leased', 'key', (value) => value === 'leased')).toBe(
      '?key=mine&x',
    );
  });
});
