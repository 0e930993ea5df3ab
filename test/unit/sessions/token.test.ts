import { describe, expect, it } from 'vitest';
import { parseToken, renewalAt, tokenText } from '../../../src/sessions/token.ts';

describe('a stored token', () => {
  const token = (lifeS: number | null): { token: string; mintedAt: number; expiresAt: number | null } => ({
    token: 'a-token',
    mintedAt: 1_000,
    expiresAt: lifeS === null ? null : 1_000 + lifeS * 1_000,
  });

  it('is renewed a minute before its end, and at half of a life under two minutes', () => {
    const ages = [3_600, 120, 65, 5].map((lifeS) => (renewalAt(token(lifeS)) - 1_000) / 1_000);
    expect(ages).toEqual([3_540, 60, 32.5, 2.5]);
    expect(renewalAt(token(null))).toBe(Infinity);
  });

  it('is read as it was written, and nothing else is taken for one', () => {
    expect(parseToken(tokenText(token(60)))).toEqual(token(60));
    expect(parseToken(tokenText(token(null)))).toEqual(token(null));
    for (const text of [
      '',
      '{}',
      '{"v":2,"token":"a","mintedAt":1}',
      '{"v":1,"token":"","mintedAt":1}',
      '{"v":1,"token":7}',
    ])
      expect(parseToken(text)).toBeNull();
  });
});
