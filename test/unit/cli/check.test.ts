import { runCommand } from '../../harness/command.ts';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { deadUrl, type Handler, json, startServer, type TestServer } from '../../harness/servers.ts';

interface Checked {
  readonly exitCode: number;
  readonly printed: string;
  readonly progress: string[];
}

/** Takes bearer tokens that begin with `good`; anything else gets 401. */
const guarded: Handler = ({ token }, response) =>
  json(response, token?.startsWith('good') === true ? 200 : 401, {});

describe('gemba check', () => {
  let folder: string;
  let servers: TestServer[] = [];

  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'gemba-check-'));
  });

  afterEach(async () => {
    rmSync(folder, { recursive: true });
    await Promise.all(servers.map((server) => server.close()));
    servers = [];
  });

  async function serve(handler: Handler): Promise<TestServer> {
    const server = await startServer(handler);
    servers.push(server);
    return server;
  }

  async function run(pools: object, args: string[] = []): Promise<Checked> {
    writeFileSync(path.join(folder, 'gemba.config.json'), JSON.stringify({ name: 'shop', pools }));
    const [printed, progress]: string[][] = [[], []];
    const exitCode = await runCommand('check', args, {
      folder,
      print: (text) => void printed!.push(text),
      progress: (line) => void progress!.push(line),
    });
    return { exitCode, printed: printed!.join(''), progress: progress! };
  }

  /** `kind name at: result, note` of every row. */
  async function rows(pools: object): Promise<{ exitCode: number; rows: string[] }> {
    const { exitCode, printed } = await run(pools, ['--json']);
    const { pools: checked, ok } = JSON.parse(printed) as {
      ok: boolean;
      pools: { members: Record<'kind' | 'name' | 'endpoint' | 'result' | 'note', string | null>[] }[];
    };
    expect(ok).toBe(exitCode === 0);
    const members = checked.flatMap((pool) => pool.members);
    return {
      exitCode,
      rows: members.map(({ kind, name, endpoint, result, note }) =>
        [
          kind,
          name,
          ...(endpoint === null ? [] : ['at', endpoint]),
          '=',
          result,
          ...(note ? [`(${note})`] : []),
        ].join(' '),
      ),
    };
  }

  it('proves keys where a request without one is refused, and finds the revoked one', async () => {
    const { url } = await serve(guarded);
    const keys = [
      { name: 'one', value: 'good-one' },
      { name: 'two', value: 'revoked' },
    ];
    expect(await rows({ api: { endpoints: [{ name: 'eu', url }], keys } })).toEqual({
      exitCode: 1,
      rows: ['endpoint eu = ok', 'key one at eu = ok', 'key two at eu = fault (refused: 401)'],
    });
  });

  it('says of a key that it is not proven where anybody is let in', async () => {
    const open = await serve((_, response) => json(response, 404, {}));
    const closed = await serve((_, response) => json(response, 403, {}));
    const endpoints = [
      { name: 'open', url: open.url },
      { name: 'closed', url: closed.url },
    ];
    const note = 'a "health" path that takes keys would prove it';
    expect(await rows({ api: { endpoints, keys: [{ name: 'one', value: 'good' }] } })).toEqual({
      exitCode: 0,
      rows: [
        'endpoint open = ok',
        'endpoint closed = ok',
        `key one at open = unproven (its address answers without a key too; ${note})`,
        `key one at closed = unproven (its address answers 403 to everyone; ${note})`,
      ],
    });
    expect(await rows({ api: { keys: ['good'] } })).toMatchObject({ exitCode: 0 });
    const none = await rows({ api: { endpoints, keys: ['good'], auth: 'none' } });
    expect(none.rows.at(-1)).toBe('key key-1 = unproven ("auth": "none" sends no key)');
  });

  it('asks the health path, which has to be well', async () => {
    const { url } = await serve((seen, response, request) => {
      if (seen.url === '/api/well') return guarded(seen, response, request);
      json(response, seen.url === '/other/ill' ? 500 : 200, {});
    });
    const endpoints = [
      { name: 'well', url: `${url}/api`, health: '/well' },
      { name: 'ill', url: `${url}/other`, health: '/ill' },
      { name: 'dead', url: await deadUrl() },
    ];
    const keys = [
      { name: 'one', value: 'good', endpoints: ['well'] },
      { name: 'two', value: 'good-too', endpoints: ['ill', 'dead'] },
    ];
    const found = await rows({ api: { endpoints, keys } });
    expect(found).toEqual({
      exitCode: 1,
      rows: [
        'endpoint well = ok',
        'endpoint ill = fault (500)',
        'endpoint dead = fault (ECONNREFUSED: nothing listens there)',
        'key one at well = ok',
        'key two = unproven (no endpoint answers)',
      ],
    });
  });

  it('goes by a vendor’s own table', async () => {
    const { url, requests } = await serve(({ headers }, response) => {
      const key = headers['x-goog-api-key'];
      if (key === 'used-up')
        return json(response, 429, { error: { details: [{ violations: [{ quotaId: 'RequestsPerDay' }] }] } });
      if (key === 'busy') return json(response, 429, { error: {} }, { 'retry-after': '3' });
      if (key !== 'fine') return json(response, 400, { error: { details: [{ reason: 'API_KEY_INVALID' }] } });
      json(response, 200, {});
    });
    const pool = {
      protocol: 'gemini',
      endpoints: [{ name: 'eu', url }],
      keys: ['fine', 'used-up', 'busy', 'bad'],
    };
    expect(await rows({ llm: pool })).toEqual({
      exitCode: 1,
      rows: [
        'endpoint eu = ok',
        'key key-1 at eu = ok',
        'key key-2 at eu = fault (429, quota per day used up)',
        'key key-3 at eu = throttled (429, rate limit reached)',
        'key key-4 at eu = fault (refused: 400, invalid or blocked key)',
      ],
    });
    expect(requests.map((seen) => seen.url).slice(1)).toEqual(Array(4).fill('/v1beta/models?pageSize=1'));
  });

  it('leaves out what the configuration disables, sends each key to its own endpoints only', async () => {
    const [eu, us] = [await serve(guarded), await serve(guarded)];
    const endpoints = [
      { name: 'eu', url: eu.url },
      { name: 'us', url: us.url, enabled: false },
    ];
    const keys = [
      { name: 'one', value: 'good', endpoints: ['us'] },
      { name: 'two', value: 'good-two', enabled: false },
    ];
    const found = await rows({ api: { endpoints, keys } });
    expect(found.exitCode).toBe(0);
    expect(found.rows.slice(1)).toEqual([
      'endpoint us = disabled ("enabled": false in the configuration)',
      'key one = unproven (its endpoints are disabled)',
      'key two = disabled ("enabled": false in the configuration)',
    ]);
    expect([...eu.requests, ...us.requests].map(({ token }) => token)).toEqual([null]);
  });

  it('keeps to rpm, and asks side by side where nothing limits it', async () => {
    let [now, most] = [0, 0];
    const slow = await serve(async (seen, response, request) => {
      most = Math.max(most, ++now);
      await new Promise((resolve) => setTimeout(resolve, 100));
      now--;
      await guarded(seen, response, request);
    });
    const many = Array.from({ length: 16 }, (_, index) => `good-${index}`);
    await run({ api: { endpoints: [slow.url], keys: many } });
    expect(most).toBeGreaterThan(2);
    expect(most).toBeLessThanOrEqual(8);
    const at = slow.requests.length;
    const endpoints = [slow.url, { name: 'again', url: `${slow.url}/again` }];
    await run({
      api: {
        endpoints,
        keys: [
          { value: 'good', rpm: 120 },
          { value: 'good-2', rpm: 60 },
          { value: 'good-3', rpm: 1 },
        ],
      },
    });
    const times = (token: string): number[] =>
      slow.requests
        .slice(at)
        .filter((seen) => seen.token === token)
        .map((seen) => seen.at);
    expect([times('good').length, times('good-2').length, times('good-3').length]).toEqual([2, 2, 1]);
    const [first = 0, second = 0] = times('good-2');
    expect(second - first).toBeGreaterThan(900);
  });

  it('shows what it found as a table, and how far it is', async () => {
    const { url } = await serve(guarded);
    const endpoints = ['eu', 'us', 'asia', 'africa'].map((name) => ({ name, url: `${url}/${name}` }));
    const { printed, progress, exitCode } = await run({
      api: { endpoints, keys: ['good-enough', 'bad-enough'] },
    });
    expect(exitCode).toBe(1);
    const lines = printed
      .replaceAll(/\d+(\.\d+)? m?s/g, '# ms')
      .split('\n')
      .map((line) => line.trim().split(/ {2,}/).join(' | '));
    expect(lines).toEqual([
      `Configuration ${path.join(folder, 'gemba.config.json')} is valid.`,
      '',
      'Pool api, protocol http',
      'kind | name | at | result | status | time | note',
      ...['eu', 'us', 'asia', 'africa'].map((name) => `endpoint | ${name} | - | ok | 401 | # ms | -`),
      'key | key-1 | 4 endpoints | ok | 200 | # ms | -',
      'key | key-2 | 4 endpoints | fault | 401 | # ms | refused: 401',
      '',
      '4 faults, 8 ok',
      '',
    ]);
    expect(progress).toContain('Asking endpoints: 4 of 4');
    expect(progress).toContain('Asking keys: 8 of 8');
    expect(progress.at(-1)).toBe('');
  });

  it('warns of secrets that are too short to be recognised', async () => {
    const { url } = await serve(guarded);
    const keys = [
      { name: 'a', value: 'good-1' },
      { name: 'b', value: 'good-value-of-b' },
      { name: 'c', value: 'good-value-of-c', fields: { username: 'me', pin: '1234' } },
    ];
    const { printed, exitCode } = await run({ api: { endpoints: [url], keys } });
    expect(exitCode).toBe(0);
    expect(printed).toContain('Warning: these secrets have fewer than 8 characters: api/a, api/c (pin).');
    const { warnings } = JSON.parse(
      (await run({ api: { endpoints: [url], keys: [keys[1]] } }, ['--json'])).printed,
    ) as { warnings: string[] };
    expect(warnings).toEqual([]);
  });
});
