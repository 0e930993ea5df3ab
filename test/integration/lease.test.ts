import { afterAll, beforeAll, expect, it } from 'vitest';
import { createInlineProject, type Finished, type InlineProject } from '../harness/run-inline-test.ts';
import { deadUrl, type SessionServer, sessionServer } from '../harness/servers.ts';

const KEYS = ['lease-key-one', 'lease-key-two'];

/** Fails an import of Playwright, wherever it comes from. */
const WITHOUT_PLAYWRIGHT = `
import { register } from 'node:module';
register('data:text/javascript,' + encodeURIComponent(\`
  export async function resolve(specifier, context, next) {
    if (/playwright/.test(specifier)) throw new Error('imports ' + specifier + ' from ' + context.parentURL);
    return next(specifier, context);
  }
\`));
`;

const CONFIG = (server: SessionServer, dead: string): object => ({
  pools: {
    default: {
      endpoints: [
        { name: 'dead', url: dead },
        { name: 'live', url: server.url },
      ],
      keys: [
        {
          name: 'ada',
          value: KEYS[0],
          maxConcurrent: 1,
          labels: { role: 'admin' },
          fields: { username: 'ada' },
        },
        { name: 'ben', value: KEYS[1], maxConcurrent: 1 },
      ],
    },
    left: { endpoints: ['http://127.0.0.1:9/${GEMBA_NOT_SET}'], whenUnset: 'skip' },
  },
});

let server: SessionServer;
let project: InlineProject;

beforeAll(async () => {
  server = await sessionServer(KEYS);
  project = await createInlineProject({
    'gemba.config.json': JSON.stringify(CONFIG(server, await deadUrl())),
    'without-playwright.mjs': WITHOUT_PLAYWRIGHT,
    'playwright.config.ts': `
      import { defineConfig } from '@playwright/test';
      export default defineConfig({ workers: 2, fullyParallel: true, globalSetup: './setup.ts' });`,
  });
});

afterAll(async () => {
  await server.close();
  await project.cleanup();
});

/** Runs a script of these lines, for which `openGemba` and `wait` are in scope; it cannot import Playwright. */
async function script(source: string, onStart?: (pid: number) => void): Promise<Finished> {
  const file = `script-${Math.random().toString(36).slice(2)}.mjs`;
  await project.write({
    [file]: `import { openGemba } from 'gemba-agent/lease';
      const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
      ${source}`,
  });
  return project.node(['--import', './without-playwright.mjs', file], {
    timeoutMs: 30_000,
    onStart: (child) => onStart?.(child.pid!),
  });
}

async function printed(source: string): Promise<unknown> {
  const { exitCode, stdout, output } = await script(source);
  expect(exitCode, output).toBe(0);
  return JSON.parse(stdout);
}

it('a script leases what its need names, without Playwright, and its calls go to an endpoint that works', async () => {
  const before = server.requests.length;
  const seen = await printed(`
    const gemba = await openGemba({ holder: 'seed' });
    const lease = await gemba.lease({ need: { role: 'admin' } });
    const answers = [];
    for (const path of ['/seed', '/seed', '/seed'])
      answers.push((await gemba.fetch(path, { method: 'POST', body: '{}', lease })).status);
    console.log(JSON.stringify({
      answers, pool: lease.pool, shown: JSON.stringify(lease), key: lease.key.name,
      value: lease.key.value, user: lease.key.fields.username, headers: lease.headers, url: lease.endpoint.url,
    }));
    await lease.release();
    await lease.release();
    await gemba.close();
  `);
  expect(seen).toMatchObject({
    answers: [200, 200, 200],
    pool: 'default',
    key: 'ada',
    value: KEYS[0],
    user: 'ada',
    headers: { authorization: `Bearer ${KEYS[0]}` },
    url: server.url,
  });
  expect((seen as { shown: string }).shown).not.toContain(KEYS[0]);
  expect(server.requests.slice(before).map(({ method, url, token }) => [method, url, token])).toEqual(
    Array.from({ length: 3 }, () => ['POST', '/seed', KEYS[0]]),
  );
});

it('a call without a lease goes through one that close gives back; calls of many at once keep to one per key', async () => {
  const seen = await printed(`
    const many = await Promise.all(Array.from({ length: 6 }, async () => {
      const gemba = await openGemba();
      const answer = await gemba.fetch('/hold?ms=40');
      await gemba.close();
      return answer.status;
    }));
    console.log(JSON.stringify(many));
  `);
  expect(seen).toEqual([200, 200, 200, 200, 200, 200]);
  expect(server.refused()).toBe(0);
});

it('a refusal names who holds the member, and a killed script gives its member back at once', async () => {
  let pid = 0;
  const holding = script(
    `const gemba = await openGemba({ holder: 'nightly seed' });
     await gemba.lease({ need: { role: 'admin' } });
     await wait(60_000);`,
    (started) => (pid = started),
  );
  const refused = await printed(`
    const gemba = await openGemba();
    let error = null;
    for (let tries = 0; tries < 100 && !error; tries++) {
      await wait(50);
      await gemba.lease({ need: { role: 'admin' }, timeoutMs: 20 }).then((lease) => lease.release(), (e) => (error = e));
    }
    await gemba.close();
    console.log(JSON.stringify({ code: error?.code, message: error?.message }));
  `);
  expect(refused).toMatchObject({ code: 'GEMBA_ACQUIRE_TIMEOUT' });
  expect((refused as { message: string }).message).toContain('nightly seed');
  process.kill(pid, 'SIGKILL');
  await holding;
  const waitedMs = await printed(`
    const gemba = await openGemba();
    const lease = await gemba.lease({ need: { role: 'admin' }, timeoutMs: 5_000 });
    console.log(JSON.stringify(lease.waitedMs));
    process.exit();
  `);
  expect(waitedMs).toBeLessThan(2_000);
});

it('a script that forgets to close ends all the same', async () => {
  const { exitCode, stderr } = await script(`
    const gemba = await openGemba();
    await gemba.lease();
    await gemba.fetch('/');
  `);
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
});

it('what cannot be meant is an error with its code', async () => {
  const codes = await printed(`
    const codes = [];
    const attempt = (work) => work().then(() => codes.push('none'), (error) => codes.push(error.code ?? String(error)));
    const gemba = await openGemba();
    await attempt(() => gemba.lease({ pool: 'other' }));
    await attempt(() => gemba.lease({ pool: 'left' }));
    await attempt(() => gemba.lease({ need: { role: 'cook' } }));
    const lease = await gemba.lease();
    await lease.release();
    await attempt(() => gemba.fetch('/', { lease }));
    await gemba.close();
    await attempt(() => gemba.lease());
    await attempt(() => openGemba({ config: 'missing.json' }));
    process.chdir('/');
    await attempt(() => openGemba());
    process.env.GEMBA_DISABLE = '1';
    await attempt(() => openGemba());
    console.log(JSON.stringify(codes));
  `);
  expect(codes).toEqual([
    'GEMBA_POOL_UNKNOWN',
    'GEMBA_POOL_UNAVAILABLE',
    'GEMBA_NEED_UNMET',
    'GEMBA_LEASE_RELEASED',
    'GEMBA_USAGE',
    'GEMBA_CONFIG_NOT_FOUND',
    'GEMBA_CONFIG_NOT_FOUND',
    'GEMBA_DISABLED',
  ]);
});

it('a global setup holds a member beside the tests of its run', async () => {
  await project.write({
    'setup.ts': `
      import { openGemba } from 'gemba-agent/lease';
      export default async function setup() {
        const gemba = await openGemba({ holder: 'global setup' });
        const lease = await gemba.lease({ need: { role: 'admin' } });
        await gemba.fetch('/session', { method: 'POST', lease });
        return () => gemba.close();
      }`,
    'keys.spec.ts': `
      import { test, expect } from 'gemba-agent';
      for (const index of [1, 2, 3])
        test('takes the other key ' + index, async ({ lease }) => expect(lease.key!.name).toBe('ben'));`,
  });
  const result = await project.run();
  expect(result.passed, result.output).toBe(3);
});
