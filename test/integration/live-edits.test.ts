import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { revisionOf as revisionOfAll } from '../../src/config/source.ts';
import type * as Live from '../../src/reporter/live/live.ts';
import { LiveRun } from '../../src/reporter/live/run.ts';
import { reportOf } from '../unit/reporter/synthetic.ts';

const TEXT = `// The shop's staging system.
{
  "name": "live-edits",
  "pools": {
    "api": {
      "endpoints": ["\${LIVE_EDITS_URL}"], // one of many
      /* one account for each worker */
      "keys": [
        { "name": "one", "value": "secret-value-one", "maxConcurrent": 1 }, // the first
        { "name": "two", "value": "secret-value-two", "enabled": false, "rpm": 30 },
      ],
    },
    "vendor": { "keys": { "fromEnv": "LIVE_EDITS_KEYS" } },
  },
}
`;

function revisionOf(text: string): string {
  return revisionOfAll([text]);
}

interface Settings {
  readonly enabled: boolean;
  readonly weight: number;
  readonly maxConcurrent: number | null;
  readonly rpm: number | null;
}

interface State {
  readonly config: { readonly file: string; readonly revision: string; readonly valid: boolean };
  readonly pools: readonly {
    readonly members: readonly {
      readonly name: string;
      readonly off: boolean;
      readonly set: Settings | null;
    }[];
  }[];
}

describe('an edit from the live page', () => {
  let folder: string;
  let file: string;
  let view: Live.LiveView;
  let origin: string;
  let token: string;

  beforeAll(async () => {
    process.env['LIVE_EDITS_URL'] = 'http://shop.example.test:8080/api';
    process.env['LIVE_EDITS_KEYS'] = 'secret-value-three';
    folder = mkdtempSync(path.join(tmpdir(), 'gemba-edits-'));
    file = path.join(folder, 'gemba.config.json');
    writeFileSync(file, TEXT);
    const internals = new URL('../../.cache/internals/index.js', import.meta.url);
    const { LiveView } = (await import(internals.href)) as typeof Live;
    const printed: string[] = [];
    const print = (line: string): unknown => printed.push(line);
    view = new LiveView(
      { host: '127.0.0.1', port: 0 },
      { folder, option: undefined },
      { print, warn: print },
    );
    const source = {
      title: 'Edits',
      tests: 1,
      report: () => reportOf([{ title: 'a', results: [{}] }]),
      counts: () => ({ requests: 0, failures: 0 }),
    };
    await view.show(new LiveRun(source, () => performance.now()));
    const address = new URL(printed[0]!.replace('Gemba live: ', ''));
    [origin, token] = [address.origin, address.searchParams.get('token')!];
  });

  afterAll(async () => {
    await view.close();
    delete process.env['LIVE_EDITS_URL'];
    delete process.env['LIVE_EDITS_KEYS'];
    rmSync(folder, { recursive: true, force: true });
  });

  beforeEach(async () => {
    writeFileSync(file, TEXT);
    await expect
      .poll(async () => (await state()).config)
      .toEqual({
        file: 'gemba.config.json',
        revision: revisionOf(TEXT),
        valid: true,
      });
  });

  it('starts from the file and settings that the page shows', async () => {
    const { pools } = await state();
    const shown = pools.flatMap(({ members }) => members.map(({ name, off, set }) => ({ name, off, set })));
    expect(shown).toEqual([
      {
        name: 'shop.example.test:8080',
        off: false,
        set: { enabled: true, weight: 1, maxConcurrent: null, rpm: null },
      },
      { name: 'one', off: false, set: { enabled: true, weight: 1, maxConcurrent: 1, rpm: null } },
      { name: 'two', off: true, set: { enabled: false, weight: 1, maxConcurrent: null, rpm: 30 } },
      { name: 'key-1', off: false, set: null },
    ]);
  });

  it('keeps comments and order, and is in force when the answer comes', async () => {
    const answer = await post({ name: 'one', set: { weight: 3, maxConcurrent: 2 } });
    const first = TEXT.replace('"maxConcurrent": 1 }', '"maxConcurrent": 2, "weight": 3 }');
    expect(readFileSync(file, 'utf8')).toBe(first);
    const revision = revisionOf(readFileSync(file, 'utf8'));
    expect(answer).toEqual({
      status: 200,
      text: `api/one in gemba.config.json: weight 3, 2 concurrent leases. Revision ${revision} is in force.`,
    });
    const now = await state();
    expect(now.config.revision).toBe(revision);
    expect(settings(now, 'one')).toEqual({ enabled: true, weight: 3, maxConcurrent: 2, rpm: null });

    const next = await post({ name: 'two', set: { enabled: true, rpm: null } }, revision);
    expect(next).toMatchObject({
      status: 200,
      text: expect.stringContaining('no limit of requests per minute'),
    });
    expect(readFileSync(file, 'utf8')).toContain(
      '{ "name": "two", "value": "secret-value-two", "enabled": true },',
    );
    expect(settings(await state(), 'two')).toEqual({
      enabled: true,
      weight: 1,
      maxConcurrent: null,
      rpm: null,
    });
  });

  it('finds a member whose name comes from a variable', async () => {
    const edit = { kind: 'endpoint', name: 'shop.example.test:8080', set: { maxConcurrent: 4 } };
    expect(await post(edit)).toMatchObject({ status: 200 });
    expect(readFileSync(file, 'utf8')).toContain(
      '[{ "url": "${LIVE_EDITS_URL}", "maxConcurrent": 4 }], // one of many',
    );
  });

  it('is refused where the file has changed', async () => {
    const mine = TEXT.replace('the first', 'mine');
    writeFileSync(file, mine);
    expect(await post({ name: 'one', set: { weight: 3 } })).toEqual({
      status: 409,
      text: 'gemba.config.json was changed meanwhile, so nothing was written. Look at it again, and repeat the change. (GEMBA_CONFIG_CHANGED)',
    });
    expect(readFileSync(file, 'utf8')).toBe(mine);
    writeFileSync(file, '{ "pools": ');
    await expect.poll(async () => (await state()).config.valid).toBe(false);
    const { text } = await post({ name: 'one', set: { weight: 3 } });
    expect(text).toMatch(/ The file is not valid now, so revision \w+ stays in force\.$/);
    rmSync(file);
    expect(await post({ name: 'one', set: { weight: 3 } })).toEqual({
      status: 404,
      text: 'gemba.config.json no longer exists, so nothing was written.',
    });
  });

  it.each([
    [
      { name: 'one', set: { maxConcurrent: 0 } },
      'Nothing was written. pools.api.keys[0].maxConcurrent: must be an integer of 1 or more; found 0',
    ],
    [
      { name: 'one', set: { weight: -1, rpm: 0 } },
      'Nothing was written. pools.api.keys[0].weight: must be 0, or a number from 0.0001 to 1000000; found -1\npools.api.keys[0].rpm: must be a number of 0.0001 or more; found 0',
    ],
    [
      { name: 'three', set: { weight: 2 } },
      'Pool "api" of gemba.config.json has no key "three"; known: one, two. (GEMBA_USAGE)',
    ],
    [
      { pool: 'vendor', name: 'key-1', set: { weight: 2 } },
      'The keys of pool "vendor" come from the variable LIVE_EDITS_KEYS, so they cannot be changed in gemba.config.json. (GEMBA_USAGE)',
    ],
    [{ name: 'one', set: { weight: '2' } }, expect.stringMatching(/^Send the revision/)],
    [{ name: 'one', set: { value: 'mine' } }, expect.stringMatching(/^Send the revision/)],
    [{ name: 'one', kind: 'pool', set: {} }, expect.stringMatching(/^Send the revision/)],
  ])('is refused with %j', async (edit, text) => {
    const answer = await post(edit);
    expect(answer).toEqual({ status: 400, text });
    expect(answer.text).not.toMatch(/secret-value|gemba-edits/);
    expect(readFileSync(file, 'utf8')).toBe(TEXT);
    expect(readdirSync(folder).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });

  it('is refused without the token, from other origins and by other methods', async () => {
    const set = { weight: 3 };
    for (const headers of [
      { 'x-gemba-token': 'wrong' },
      { 'x-gemba-token': '' },
      { origin: 'http://evil.example' },
    ])
      expect(await post({ name: 'one', set }, revisionOf(TEXT), headers)).toMatchObject({ status: 403 });
    expect(
      await post({ name: 'one', set }, revisionOf(TEXT), { 'content-type': 'text/plain' }),
    ).toMatchObject({
      status: 415,
    });
    const get = await fetch(`${origin}/config`, { method: 'PUT', headers: { 'x-gemba-token': token } });
    expect(get.status).toBe(405);
    expect(readFileSync(file, 'utf8')).toBe(TEXT);
  });

  async function post(
    edit: object,
    revision = revisionOf(TEXT),
    headers: Record<string, string> = {},
  ): Promise<{ status: number; text: string }> {
    const response = await fetch(`${origin}/config`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-gemba-token': token, ...headers },
      body: JSON.stringify({ revision, pool: 'api', kind: 'key', ...edit }),
    });
    const body = await response.text();
    const { text } = body.startsWith('{') ? (JSON.parse(body) as { text: string }) : { text: body };
    return { status: response.status, text };
  }

  /** What a page that comes now is told. */
  function state(): Promise<State> {
    return new Promise((resolve, reject) => {
      const sent = request(`${origin}/events?token=${token}`, { agent: false }, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => {
          text += chunk;
          const [, data] = /event: state\ndata: (.*)\n\n/.exec(text) ?? [];
          if (data === undefined) return;
          response.destroy();
          resolve(JSON.parse(data) as State);
        });
      });
      sent.on('error', reject);
      sent.end();
    });
  }
});

function settings({ pools }: State, name: string): Settings | null | undefined {
  return pools.flatMap(({ members }) => members).find((member) => member.name === name)?.set;
}
