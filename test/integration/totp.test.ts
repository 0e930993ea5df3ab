import { Secret, TOTP } from 'otpauth';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startRedis } from '../harness/redis.ts';
import { createInlineProject, type InlineProject, type InlineResult } from '../harness/run-inline-test.ts';
import { findSecrets } from '../harness/secrets.ts';
import { json, startServer, type TestServer } from '../harness/servers.ts';

const SEEDS = {
  ADA: 'NBSWY3DPEHPK3PXPJBSWY3DP',
  GRACE: 'MFRGGZDFMZTWQ2LKNNWG23TP',
  LIN: 'ONSWG4TFOQ3TKNZXGU2DGMRR',
};
/** Seconds. Codes of a short period, so that many of them fit into a test. */
const PERIOD = 2;

interface CodeServer extends TestServer {
  accepted: () => number;
  refused: () => string[];
  codes: () => string[];
}

/** Takes each code of a user once, as servers do, and that of one step before or after. */
async function codeServer(seeds: Record<string, TOTP>): Promise<CodeServer> {
  const used = new Set<string>();
  const codes: string[] = [];
  const refused: string[] = [];
  const server = await startServer((seen, response) => {
    const { pathname, searchParams } = new URL(seen.url, 'http://server');
    if (pathname !== '/check') return json(response, seen.headers.cookie ? 200 : 401, []);
    const [user, code] = [searchParams.get('user') ?? '', searchParams.get('code') ?? ''];
    const totp = seeds[user];
    const delta = totp ? totp.validate({ token: code, window: 1 }) : null;
    const step = delta === null || !totp ? null : totp.counter() + delta;
    const isTaken = step === null || used.has(`${user} ${step}`);
    if (isTaken) refused.push(`${user} ${code} ${step}`);
    codes.push(code);
    used.add(`${user} ${step}`);
    json(response, isTaken ? 403 : 200, {}, isTaken ? {} : { 'set-cookie': `session=${user}` });
  });
  return {
    ...server,
    accepted: () => codes.length - refused.length,
    refused: () => refused,
    codes: () => codes,
  };
}

function totpOf(seed: string, options: { digits?: number; algorithm?: string; period?: number } = {}): TOTP {
  return new TOTP({ secret: Secret.fromBase32(seed), period: PERIOD, ...options });
}

function addressOf(seed: string, more = ''): string {
  return `otpauth://totp/shop?secret=${seed}&period=${PERIOD}${more}`;
}

const SPEC = `
import { test, expect } from 'gemba-agent';
for (let index = 0; index < 30; index++) {
  test('signs in with a code ' + index, async ({ lease, request }) => {
    const { user } = lease.key.labels;
    const code = await lease.key.totp();
    expect(code).toMatch(user === 'grace' ? /^\\d{8}$/ : /^\\d{6}$/);
    expect((await request.get('/check?user=' + user + '&code=' + code)).status()).toBe(200);
    expect(JSON.stringify(lease) + JSON.stringify(lease.key)).not.toContain(code);
  });
}
test('a key without a secret has no codes', async ({ gemba }) => {
  const lease = await gemba.lease({ pool: 'plain' });
  const error = await lease.key.totp().catch((reason) => reason);
  expect(error.code).toBe('GEMBA_TOTP_UNAVAILABLE');
  expect(error.message).toContain('ci-1');
});
test('a wait for a code that would pass the end of a poll is not begun', async ({ gemba }) => {
  const lease = await gemba.lease({ pool: 'slow' });
  const codes = [await lease.key.totp()];
  await expect(async () => { codes.push(await lease.key.totp()); }).toPass({ timeout: 1_000, intervals: [100] }).catch(() => {});
  expect(codes).toHaveLength(1);
});
`;

const SIGNED_IN = `
import { test as base, expect, accountFixtures } from 'gemba-agent';
const test = base.extend(accountFixtures({
  signIn: async ({ lease, request, newPage }) => {
    const url = '/check?user=' + lease.key.labels.user + '&code=' + await lease.key.totp();
    await request.get(url);
  },
}));
test.use({ gembaPool: 'accounts' });
for (let index = 0; index < 4; index++)
  test('is signed in by a code ' + index, async ({ request }) => {
    expect((await request.get('/orders')).status()).toBe(200);
    if (index === 3) expect((await request.get('/nothing')).status(), 'a failure with its requests').toBe(201);
  });
`;

const SCRIPT = `
import { openGemba } from 'gemba-agent/lease';
const gemba = await openGemba();
const lease = await gemba.lease({ pool: 'default', need: { user: 'ada' } });
const statuses = [];
for (let index = 0; index < Number(process.argv[2]); index++) {
  const code = await lease.key.totp();
  statuses.push((await gemba.fetch('/check?user=ada&code=' + code, { lease })).status);
}
console.log(statuses.join(','));
await gemba.close();
`;

describe('one-time codes', () => {
  let server: CodeServer;
  let project: InlineProject;
  let result: InlineResult;

  beforeAll(async () => {
    server = await codeServer({
      ada: totpOf(SEEDS.ADA),
      grace: totpOf(SEEDS.GRACE, { digits: 8, algorithm: 'SHA256' }),
      lin: totpOf(SEEDS.LIN),
    });
    const endpoints = [server.url];
    const key = (user: string, totp: string): object => {
      return {
        name: user,
        fields: { username: user, password: `password-of-${user}` },
        totp,
        labels: { user },
      };
    };
    const pools = {
      default: {
        endpoints,
        auth: 'none',
        keys: [key('ada', '${ADA}'), key('grace', addressOf(SEEDS.GRACE, '&digits=8&algorithm=SHA256'))],
      },
      accounts: { endpoints, auth: 'none', keys: [key('lin', '${LIN}')] },
      plain: { endpoints, keys: [{ name: 'ci-1', value: 'plain-key-of-ci' }] },
      slow: { endpoints, keys: [{ name: 'slow', value: 'key-of-slow', totp: '${SLOW}' }] },
    };
    project = await createInlineProject(
      {
        'gemba.config.json': JSON.stringify({ pools }),
        'codes.spec.ts': SPEC,
        'signed-in.spec.ts': SIGNED_IN,
        'script.mjs': SCRIPT,
      },
      '{ workers: 4, fullyParallel: true, timeout: 10_000, use: { trace: "off" } }',
    );
    result = await project.run({ env: ENV });
  });

  afterAll(async () => {
    await server.close();
    await project.cleanup();
  });

  const ENV = { ADA: addressOf(SEEDS.ADA), LIN: addressOf(SEEDS.LIN), SLOW: SEEDS.LIN };

  it('are each given once over workers, and waited for outside the time of tests and sign-ins', () => {
    expect(server.refused()).toEqual([]);
    expect({ passed: result.passed, failed: result.failed }, result.output).toEqual({
      passed: 35,
      failed: 1,
    });
    expect(server.accepted()).toBeGreaterThanOrEqual(31);
  });

  it('are given once over processes and runs, too', async () => {
    const before = server.accepted();
    for (let run = 0; run < 2; run++) {
      const { stdout, output } = await project.node(['script.mjs', '2'], { env: ENV });
      expect(stdout.trim(), output).toBe('200,200');
    }
    expect(server.accepted()).toBe(before + 4);
    expect(server.refused()).toEqual([]);
  });

  it('and their secrets stand in no artifact and no cache file', async () => {
    expect(await findSecrets(project.folder, { ADA: SEEDS.ADA, LIN: SEEDS.LIN })).toEqual([]);
    const { tests } = result.report!;
    const failed = tests.find(({ status }) => status === 'unexpected')!;
    expect(failed.results[0]!.requests.length).toBeGreaterThan(0);
    // Short ones may be part of a time or a count by chance: as a word of its own none is.
    const words = new Set(JSON.stringify(result.report).split(/[^\w]+/));
    expect(server.codes().filter((code) => words.has(code))).toEqual([]);
  });
});

it('one-time codes are given once over machines that share a store', async () => {
  const period = 1;
  const server = await codeServer({ ada: totpOf(SEEDS.ADA, { period }) });
  const redis = await startRedis();
  const keys = [{ name: 'ada', value: 'key-of-ada', totp: '${ADA}', labels: { user: 'ada' } }];
  const config = { name: 'codes', store: redis.url, pools: { default: { endpoints: [server.url], keys } } };
  const env = { ADA: `otpauth://totp/shop?secret=${SEEDS.ADA}&period=${period}` };
  const machine = (): Promise<InlineProject> =>
    createInlineProject({ 'gemba.config.json': JSON.stringify(config), 'script.mjs': SCRIPT });
  const machines = await Promise.all([machine(), machine()]);
  try {
    const runs = await Promise.all(machines.map((one) => one.node(['script.mjs', '8'], { env })));
    for (const { stdout, output } of runs)
      expect(stdout.trim(), output).toBe(Array.from({ length: 8 }, () => 200).join(','));
    expect(server.refused()).toEqual([]);
    expect(server.accepted()).toBe(16);
  } finally {
    await Promise.all(machines.map((one) => one.cleanup()));
    await redis.close();
    await server.close();
  }
});
