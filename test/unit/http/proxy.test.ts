import http from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { request } from 'undici';
import { dispatcherTo } from '../../../src/http/dispatcher.ts';
import { tlsTo } from '../../../src/http/tls.ts';
import { proxyAgent } from '../../../src/http/proxy.ts';
import { startServer, type TestServer } from '../../harness/servers.ts';

/** Each as it stands in a configuration: in the address percent-encoded or not. */
const SIGN_INS = [
  ['qa:secret', 'qa:secret'],
  ['qa:50%25', 'qa:50%'],
  ['qa:50%', 'qa:50%'],
  ['100%:%zz', '100%:%zz'],
  ['a%40b:p%3Aq%2Fr', 'a@b:p:q/r'],
  ['qä:pässwörd€', 'qä:pässwörd€'],
  ['qa:', 'qa:'],
  [':only', ':only'],
] as const;

describe('a proxy with user and password', () => {
  let proxy: TestServer;

  beforeAll(async () => {
    proxy = await startServer((_seen, response) => void response.end('through'));
  });
  afterAll(() => proxy.close());

  const lastSignIn = (): string => {
    const { 'proxy-authorization': header = '' } = proxy.requests.at(-1)!.headers;
    return Buffer.from(header.replace('Basic ', ''), 'base64').toString('utf8');
  };

  it.each(SIGN_INS)('%s signs in as %s', async (written, meant) => {
    const address = proxy.url.replace('//', `//${written}@`);
    const target = 'http://api.example.test/orders?q=1';
    const dispatcher = dispatcherTo({ url: target, proxy: address, tls: tlsTo(target) }, {});
    expect(await (await request(target, { dispatcher })).body.text()).toBe('through');
    await dispatcher.close();
    expect([lastSignIn(), proxy.requests.at(-1)!.url]).toEqual([meant, target]);
    const agent = await proxyAgent(address, 'http://api.example.test');
    await new Promise<void>((resolve, reject) => {
      const sent = http.get(
        target,
        { agent: agent! },
        (response) => void response.resume().on('end', resolve),
      );
      sent.on('error', reject);
    });
    agent!.destroy();
    expect([lastSignIn(), proxy.requests.at(-1)!.url]).toEqual([meant, target]);
  });
});
