import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { redactorOf, redactorOfFiles } from '../../../src/config/redactor.ts';
import { secretsOf } from '../../../src/config/secrets.ts';
import { loadValue } from './project.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'gemba-secrets-'));
afterAll(() => rmSync(folder, { recursive: true }));

const ENV = { TOKEN: 'token-of-the-key', PASSWORD: 'hunter2-hunter2' };
const CONFIG = {
  name: 'shop',
  store: 'redis://ci:store-password@redis.test:6379/0',
  pools: {
    api: {
      endpoints: [{ name: 'eu', url: 'https://eu.test', proxy: 'http://me:proxy-password@proxy.test' }],
      keys: [
        '${TOKEN}',
        {
          name: 'ada',
          fields: {
            username: 'ada-lovelace',
            email: 'ada@shop.test',
            password: '${PASSWORD}',
            login: 'ada-login',
          },
        },
      ],
    },
    basic: { auth: 'basic', endpoints: ['https://eu.test'], keys: ['grace:grace-password'] },
  },
};
const TEXT =
  'token-of-the-key hunter2-hunter2 ada-lovelace ada@shop.test ada-login store-password proxy-password grace-password';
const REDACTED =
  '[key api/key-1] [key api/ada (password)] ada-lovelace ada@shop.test [key api/ada (login)] [key store] [key api/eu (its proxy)] [key basic/key-1 (password)]';

describe('The redactor of a configuration', () => {
  it('replaces every secret, and who signs in is none', () => {
    expect(redactorOf(loadValue(CONFIG, ENV))(TEXT)).toBe(REDACTED);
  });

  it('is the same for the file, also where it is no valid configuration', () => {
    const file = path.join(folder, 'gemba.config.json');
    writeFileSync(file, JSON.stringify(CONFIG));
    expect(redactorOfFiles([file], ENV)(TEXT)).toBe(REDACTED);
    writeFileSync(file, `${JSON.stringify({ ...CONFIG, retryTests: 'sometimes' }).slice(0, -1)}, "pols": `);
    expect(redactorOfFiles([file, path.join(folder, 'none')], ENV)(TEXT)).toBe(REDACTED);
  });

  it('knows the seed of a one-time password and the headers of an endpoint', () => {
    const endpoint = { name: 'eu', headers: { 'x-auth': 'Bearer header-token-1' } };
    const key = { name: 'ada', fields: {}, totp: 'otpauth://totp/shop?secret=JBSWY3DPEHPK3PXP' };
    const pools = { api: { auth: 'bearer', endpoints: [endpoint], keys: [key] } };
    expect(secretsOf({ name: 'shop', store: 'local', pools }).map(({ value }) => value)).toEqual([
      'otpauth://totp/shop?secret=JBSWY3DPEHPK3PXP',
      'JBSWY3DPEHPK3PXP',
      'jbswy3dpehpk3pxp',
      'Bearer header-token-1',
      'header-token-1',
    ]);
  });
});
