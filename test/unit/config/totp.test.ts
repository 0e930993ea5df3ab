import { describe, expect, it } from 'vitest';
import { parseTotp } from '../../../src/config/totp.ts';

const SEED = 'JBSWY3DPEHPK3PXP';

describe('the totp of a key', () => {
  it('is a secret in base32, as people and programs write it', () => {
    const plain = { secret: SEED, digits: 6, periodS: 30, algorithm: 'SHA1' };
    for (const text of [SEED, 'jbsw y3dp ehpk 3pxp', 'JBSW-Y3DP-EHPK-3PXP', `${SEED}====`])
      expect(parseTotp(text)).toEqual(plain);
  });

  it('is an otpauth address with its digits, period and algorithm', () => {
    const address = `otpauth://totp/Shop:ada%40example.test?secret=${SEED}&issuer=Shop&digits=8&period=60&algorithm=SHA-256`;
    expect(parseTotp(address)).toEqual({ secret: SEED, digits: 8, periodS: 60, algorithm: 'SHA256' });
    expect(parseTotp(` otpauth://totp/ada?secret=${SEED} `)).toMatchObject({ digits: 6, periodS: 30 });
  });

  it('is refused with a reason that quotes nothing of it', () => {
    const wrong: Record<string, string> = {
      'not base32 at all!': 'must be a secret in base32',
      JBSWY3DP1: 'must be a secret in base32',
      '': 'must be a secret in base32',
      [`otpauth://hotp/ada?secret=${SEED}&counter=1`]: 'with a counter (hotp)',
      [`otpauth://motp/ada?secret=${SEED}`]: 'of an unknown type',
      'otpauth://totp/ada?issuer=Shop': 'without a "secret"',
      [`otpauth://totp/ada?secret=${SEED}&digits=99`]: '"digits"',
      [`otpauth://totp/ada?secret=${SEED}&period=0`]: '"period"',
      [`otpauth://totp/ada?secret=${SEED}&algorithm=MD5`]: 'SHA1, SHA256, SHA512',
    };
    for (const [text, reason] of Object.entries(wrong)) {
      const problem = parseTotp(text);
      expect(problem, text).toBeTypeOf('string');
      expect(problem).toContain(reason);
      expect(problem).not.toContain(SEED);
      expect(problem).not.toContain('JBSWY3DP1');
    }
  });
});
