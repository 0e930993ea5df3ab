import type { JSONReportTestResult } from '@playwright/test/reporter';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createInlineProject, type InlineResult, runInlineTest } from '../harness/run-inline-test.ts';
import { findChromium, json, startServer, type TestServer } from '../harness/servers.ts';

const CONFIG_FOR = (url: string): string =>
  JSON.stringify({
    pools: { api: { endpoints: [url], auth: 'basic', keys: ['qa:pass-word'] } },
    gate: { degraded: 'fail' },
  });

const CHROMIUM = `{ use: { launchOptions: ${JSON.stringify(findChromium() ?? {})} } }`;

const SPEC = `
  import { test, expect } from 'gemba-agent';
  import assert from 'node:assert/strict';

  /** Whichever strategy comes first fails so. */
  const first = (fail) => ({
    a: async ({ attempt }) => { if (attempt === 1) await fail(); return 'a'; },
    b: async ({ attempt }) => { if (attempt === 1) await fail(); return 'b'; },
  });
  const boom = () => { throw new Error('boom'); };
  const caught = (promise) => promise.then(() => { throw new Error('it went well'); }, (error) => error);

  test('gives the result', async ({ gemba }) => {
    expect(await gemba.run('sum', { only: async () => 42 })).toBe(42);
  });

  test('falls back', async ({ gemba }) => {
    expect(await gemba.run('falls', first(boom))).toMatch(/^[ab]$/);
  });

  test('falls back from a strategy that throws at once, and from one that throws no error', async ({ gemba }) => {
    const sync = ({ attempt }) => { if (attempt === 1) boom(); return 'sync'; };
    expect(await gemba.run('sync', { a: sync, b: sync })).toBe('sync');
    expect(await gemba.run('text', first(() => Promise.reject('a text')))).toMatch(/^[ab]$/);
  });

  const checks = {
    'toBe': () => expect(1, 'the total').toBe(2),
    'poll': () => expect.poll(() => 1, { timeout: 50 }).toBe(2),
    'a poll that hangs': () => expect.poll(() => new Promise(() => {}), { timeout: 50 }).toBe(2),
    'toPass': () => expect(() => boom()).toPass({ timeout: 50 }),
    'resolves': () => expect(Promise.reject(new Error('no'))).resolves.toBe(1),
    'rejects': () => expect(Promise.resolve(1)).rejects.toThrow(),
    'node:assert': () => assert.equal(1, 2),
    'a cause': () => { try { expect(1).toBe(2); } catch (cause) { throw new Error('no login', { cause }); } },
    'any': () => Promise.any([Promise.resolve().then(() => expect(1).toBe(2)), Promise.reject(new Error('x'))]),
  };
  for (const [name, check] of Object.entries(checks)) {
    test('rethrows a failed check: ' + name, async ({ gemba }) => {
      let own;
      const keep = async () => { try { await check(); } catch (error) { own = error; throw error; } };
      const error = await caught(gemba.run('checked', first(keep)));
      expect(error === own).toBe(true);
    });
  }
  test('shows a failed check as the product', async ({ gemba }) => {
    await gemba.run('checked', first(() => expect('the page').toBe('the shop')));
  });

  test('gives up after its time', async ({ gemba }) => {
    const reasons = [];
    const heeds = ({ signal }) => new Promise((_, reject) =>
      signal.addEventListener('abort', () => { reasons.push(signal.reason.code); reject(signal.reason); }));
    const one = await caught(gemba.run('heeds', { a: heeds }, { timeoutMs: 100 }));
    expect([one.code, reasons]).toEqual(['GEMBA_STRATEGY_TIMEOUT', ['GEMBA_STRATEGY_TIMEOUT']]);
    expect(one.message).toContain('Strategy "a" of task "heeds" did not end within its 100 ms');
    const ignores = first(() => new Promise(() => {}));
    expect(await gemba.run('ignores', ignores, { timeoutMs: 100 })).toMatch(/^[ab]$/);
    const late = first(() => new Promise((_, reject) => setTimeout(reject, 600, new Error('much later'))));
    expect(await gemba.run('late', late, { timeoutMs: 100 })).toMatch(/^[ab]$/);
    await new Promise((resolve) => setTimeout(resolve, 500));
  });

  test('runs only those, and only one without fallback', async ({ gemba }) => {
    const ran = [];
    const fails = (name) => async () => { ran.push(name); throw new Error('boom of ' + name); };
    const three = { a: fails('a'), b: fails('b'), c: fails('c') };
    const all = await caught(gemba.run('three', three, { only: ['c', 'a'] }));
    expect(ran.sort()).toEqual(['a', 'c']);
    expect([all.code, all.cause.errors.map((error) => error.message).sort()])
      .toEqual(['GEMBA_STRATEGIES_FAILED', ['boom of a', 'boom of c']]);
    expect(all.message).toMatch(/No strategy could do the task "three":\\n {2}[ac]: Error: boom of [ac] \\(after/);
    expect(all.message).toContain('a: Error: boom of a');
    expect(all.message).toContain('c: Error: boom of c');
    ran.length = 0;
    const one = await caught(gemba.run('three', three, { fallback: false }));
    expect([ran.length, one.message]).toEqual([1, 'boom of ' + ran[0]]);
  });

  test('runs a task within a strategy', async ({ gemba }) => {
    const inner = () => gemba.run('inner', first(boom));
    expect(await gemba.run('outer', { only: inner })).toMatch(/^[ab]$/);
    const outer = await caught(gemba.run('outer', { x: () => gemba.run('hopeless', { a: boom, b: boom }) }));
    expect(outer.code).toBe('GEMBA_STRATEGIES_FAILED');
    const check = await caught(gemba.run('outer', first(() => gemba.run('checked', first(() => expect(1).toBe(2))))));
    expect(check.matcherResult.pass).toBe(false);
    const ran = [];
    const slow = () => gemba.run('slow', first(async () => { ran.push(1); await new Promise((r) => setTimeout(r, 300)); boom(); }));
    expect(await gemba.run('limited', first(slow), { timeoutMs: 100 })).toMatch(/^[ab]$/);
    expect(ran).toHaveLength(1);
  });

  test('shows no part of a secret', async ({ gemba, lease }) => {
    const [, password] = lease.key.value.split(':');
    const leaks = () => { throw new Error('401 for qa with ' + password); };
    const { message } = await caught(gemba.run('sign in', { a: leaks, b: leaks }));
    expect(message).toContain('401 for qa with [key api/key-1 (password)]');
    expect(message).not.toContain(password);
  });

  test('refuses what cannot be meant', async ({ gemba }) => {
    const ok = { a: async () => 1 };
    const bad = [
      ['', ok], [undefined, ok], ['task', {}], ['task', null], ['task', { ' ': async () => 1 }], ['task', { a: 1 }],
      ['task', ok, { only: [] }], ['task', ok, { only: ['b'] }], ['task', ok, { timeoutMs: 0 }], ['task', ok, { timeoutMs: NaN }],
    ];
    for (const args of bad) expect((await caught(gemba.run(...args))).code).toBe('GEMBA_USAGE');
    const unknown = await caught(gemba.run('login', { api: async () => 1, ui: async () => 1 }, { only: ['web'] }));
    expect(unknown.message).toContain('"web" in \`only\`, which is no strategy of task "login". Its strategies: api, ui');
    expect((await caught(gemba.run('hides', first(() => gemba.run('', ok))))).code).toBe('GEMBA_USAGE');
  });

  test('has context', async ({ gemba, lease }) => {
    const seen = await gemba.run('context', { a: async (context) => context });
    expect([seen.lease.id, seen.attempt, seen.signal.aborted, typeof seen.fetch]).toEqual([lease.id, 1, false, 'function']);
  });

  test('skips', async ({ gemba }) => {
    await gemba.run('skips', first(() => test.skip(true, 'not today')));
  });

  test('blames nobody for a timeout of the test', async ({ gemba, page }) => {
    test.setTimeout(1500);
    await page.setContent('<p>');
    await gemba.run('hangs', { a: () => page.click('button'), b: () => page.click('button') });
  });

  test('blames nobody for a timeout of the test, whatever a strategy does', async ({ gemba }) => {
    test.setTimeout(500);
    await gemba.run('hangs', { a: () => new Promise(() => {}), b: () => new Promise(() => {}) });
  });

  test('stops its calls with it', async ({ gemba }) => {
    const errors = [];
    const hangs = async ({ fetch, attempt }) => {
      if (attempt === 2) return (await fetch('/')).status;
      await fetch('/hangs').catch((error) => { errors.push(error.code); throw error; });
    };
    expect(await gemba.run('calls', { a: hangs, b: hangs }, { timeoutMs: 300 })).toBe(200);
    expect(errors).toEqual(['GEMBA_STRATEGY_TIMEOUT']);
    const { lease } = await gemba.run('context', { a: async (context) => context });
    expect(lease.pool).toBe('api');
  });

  test('blames the endpoint and the strategy', async ({ gemba, request }) => {
    const get = (path) => async () => {
      const response = await request.get(path);
      if (!response.ok()) throw new Error('answer ' + response.status());
      return response.status();
    };
    expect(await gemba.run('fetches', first(get('/broken')))).toMatch(/^[ab]$/);
  });
`;

function failedTitles(result: InlineResult): string[] {
  return result.report!.tests.filter((test) => test.status === 'unexpected').map((test) => test.title);
}

function resultOf(result: InlineResult, title: string): JSONReportTestResult {
  const specs = result.results!.suites.flatMap((suite) => suite.specs);
  return specs.find((spec) => spec.title === title)!.tests[0]!.results[0]!;
}

describe('gemba.run in real tests', () => {
  let server: TestServer;
  let result: InlineResult;

  beforeAll(async () => {
    server = await startServer((seen, response) => {
      if (seen.url !== '/hangs') json(response, seen.url === '/broken' ? 503 : 200, {});
    });
    result = await runInlineTest(
      { 'gemba.config.json': CONFIG_FOR(server.url), 'strategies.spec.ts': SPEC },
      { config: CHROMIUM },
    );
  });
  afterAll(async () => {
    await server.close();
    await result.cleanup();
  });

  it('does what it says', () => {
    expect({ failed: failedTitles(result), skipped: result.skipped }, result.output).toEqual({
      failed: [
        'shows a failed check as the product',
        'blames nobody for a timeout of the test',
        'blames nobody for a timeout of the test, whatever a strategy does',
      ],
      skipped: 1,
    });
  });

  it('records both of a fallback, marks the test degraded, and the gate hears of it', () => {
    const { report } = result;
    const falls = report!.strategies.filter(({ task }) => task === 'falls');
    const sums = falls.map(({ runs, successes, failures, chosen, fallbacks }) => {
      return { runs, successes, failures, chosen, fallbacks };
    });
    expect(sums).toEqual([
      { runs: 1, successes: 0, failures: 1, chosen: 1, fallbacks: 0 },
      { runs: 1, successes: 1, failures: 0, chosen: 0, fallbacks: 1 },
    ]);
    const degraded = report!.tests.filter((test) => test.degraded).map(({ title }) => title);
    expect(degraded).toEqual([
      'falls back',
      'falls back from a strategy that throws at once, and from one that throws no error',
      'gives up after its time',
      'runs only those, and only one without fallback',
      'runs a task within a strategy',
      'shows no part of a secret',
      'stops its calls with it',
      'blames the endpoint and the strategy',
    ]);
    expect(report!.totals.degraded).toBe(8);
    expect(result.output).toContain('8 tests ran on a fallback');
  });

  it('counts neither failed checks nor what was cut off against a strategy', () => {
    const tasks = ['checked', 'hangs', 'skips', 'slow', 'hides'];
    const spared = result.report!.strategies.filter(({ task }) => tasks.includes(task));
    expect(new Set(spared.map(({ task }) => task))).toEqual(new Set(tasks));
    for (const strategy of spared) {
      expect(strategy).toMatchObject({
        successes: 0,
        failures: 0,
        fallbacks: 0,
        successRate: null,
        avgMs: null,
      });
    }
    const checked = spared.filter(({ task }) => task === 'checked');
    expect(checked.reduce((sum, { runs }) => sum + runs, 0)).toBe(11);
  });

  it('gives a failed check the verdict product, and says where', () => {
    const test = result.report!.tests.find(({ title }) => title === 'shows a failed check as the product')!;
    expect(test.verdict).toBe('product');
    expect(test.results[0]!.evidence[0]).toMatch(/^a check in strategy "[ab]" of task "checked" failed$/);
    const [error] = resultOf(result, test.title).errors;
    expect(error!.message).toContain('the page');
    expect(error!.location!.file).toMatch(/strategies\.spec\.ts$/);
  });

  it('tells a fault at the member, besides what the strategy came to', () => {
    const [endpoint] = result.report!.pools[0]!.endpoints;
    expect(endpoint!.kinds).toEqual({ server: 1 });
    const fetches = result.report!.strategies.filter(({ task }) => task === 'fetches');
    expect(fetches.map(({ successes, failures }) => [successes, failures])).toEqual([
      [0, 1],
      [1, 0],
    ]);
  });

  it('shows each strategy as a step of its task', () => {
    const { steps } = resultOf(result, 'falls back');
    expect(steps!.map(({ title }) => title)).toEqual(['falls']);
    const [first, second] = steps![0]!.steps!;
    expect([first!.title, second!.title].sort()).toEqual(['a', 'b']);
    expect([first!.error?.message, second!.error]).toEqual(['Error: boom', undefined]);
  });
});

const PLAIN = `
  import { test, expect } from 'gemba-agent';
  test('tries them in the order given', async ({ gemba }) => {
    for (let turn = 0; turn < 8; turn++) {
      const ran = [];
      const result = await gemba.run('plain', {
        z: async () => { ran.push('z'); throw new Error('boom'); },
        a: async () => { ran.push('a'); return 'a'; },
        b: async () => { ran.push('b'); return 'b'; },
      });
      expect([...ran, result]).toEqual(['z', 'a', 'a']);
    }
  });
`;

describe('gemba.run with nobody to learn with', () => {
  it('tries the strategies in the order given: without a configuration, and switched off', async () => {
    const project = await createInlineProject({ 'plain.spec.ts': PLAIN });
    const without = await project.run();
    expect({ passed: without.passed, failed: without.failed }, without.output).toEqual({
      passed: 1,
      failed: 0,
    });
    const sums = without.report!.strategies.map(({ name, runs, failures, fallbacks }) => {
      return [name, runs, failures, fallbacks];
    });
    expect(sums).toEqual([
      ['z', 8, 8, 0],
      ['a', 8, 0, 8],
    ]);
    await project.write({
      'gemba.config.json': '{ "pools": { "api": { "endpoints": ["http://127.0.0.1:9"] } } }',
    });
    const off = await project.run({ env: { GEMBA_DISABLE: '1' } });
    expect({ passed: off.passed, failed: off.failed }, off.output).toEqual({ passed: 1, failed: 0 });
    expect([off.report!.strategies, off.report!.totals.degraded]).toEqual([[], 0]);
    await project.cleanup();
  });
});
