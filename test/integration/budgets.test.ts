import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startRedis, type TestRedis } from '../harness/redis.ts';
import { createInlineProject, type InlineProject } from '../harness/run-inline-test.ts';
import { json, startServer, type TestServer } from '../harness/servers.ts';

/** Answers as OpenAI does: with `usage`, in events where they are asked for. It uses as many tokens as the prompt says. */
const startVendor = (): Promise<TestServer> =>
  startServer((seen, response) => {
    const { stream, messages } = JSON.parse(seen.body) as { stream?: boolean; messages: string[] };
    const usage = { prompt_tokens: 1, completion_tokens: 1, total_tokens: Number(messages[0]) };
    if (!stream) return json(response, 200, { choices: [], ...(usage.total_tokens > 0 && { usage }) });
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(`data: ${JSON.stringify({ choices: [], usage: null })}\n\n`);
    response.end(`data: ${JSON.stringify({ choices: [], usage })}\n\ndata: [DONE]\n\n`);
  });

const head = `
  import { test, expect } from 'gemba-agent';
  const ask = async (gemba, tokens, { stream = false, model = 'm' } = {}) => {
    const body = JSON.stringify({ model, max_tokens: 100, stream, messages: [String(tokens)] });
    const answer = await gemba.fetch('/v1/chat/completions', { method: 'POST', body });
    expect(answer.status).toBe(200);
    await answer.text();
  };
`;

function configOf(url: string, key: object, more: object = {}): string {
  const keys = [{ name: 'one', value: 'key-one', ...key }];
  return JSON.stringify({
    name: 'budgets',
    pools: { llm: { endpoints: [url], keys, protocol: 'openai' } },
    ...more,
  });
}

describe('budgets', () => {
  let vendor: TestServer;
  let redis: TestRedis;
  const projects: InlineProject[] = [];
  const project = async (config: string, spec: string): Promise<InlineProject> => {
    const files = { 'gemba.config.json': config, 'a.spec.ts': `${head}${spec}` };
    const created = await createInlineProject(files, '{ workers: 4, fullyParallel: true }');
    projects.push(created);
    return created;
  };

  beforeAll(async () => {
    [vendor, redis] = await Promise.all([startVendor(), startRedis()]);
  });
  afterAll(async () => {
    await Promise.all(projects.map((each) => each.cleanup()));
    await Promise.all([vendor.close(), redis.close()]);
  });

  it('of a day hold over workers and runs, and say when they begin anew', async () => {
    vendor.requests.length = 0;
    const spec = `for (let i = 0; i < 4; i++) test('asks ' + i, ({ gemba }) => ask(gemba, 10));`;
    const one = await project(configOf(vendor.url, { daily: { calls: 6 } }), spec);
    const first = await one.run();
    expect([first.passed, first.failed], first.output).toEqual([4, 0]);
    const second = await one.run();
    expect([second.passed, second.failed], second.output).toEqual([2, 2]);
    expect(vendor.requests).toHaveLength(6);
    const midnight = new Date(Math.ceil(Date.now() / 86_400_000) * 86_400_000).toISOString().slice(0, 19);
    expect(second.output).toContain(`its budget of the day is used up (6 requests)`);
    expect(second.output).toContain(midnight);
    expect(second.report!.verdicts).toMatchObject({ environment: 2 });
    expect(second.report!.pools[0]!.keys[0]).toMatchObject({
      state: 'exhausted',
      until: expect.stringContaining(midnight) as string,
    });
  });

  it('count the tokens of answers by key and model, streams included', async () => {
    const spec = `
      test('asks', async ({ gemba }) => {
        await ask(gemba, 1000);
        await ask(gemba, 500, { stream: true });
        await ask(gemba, 30, { model: 'other' });
        await ask(gemba, 0, { model: 'silent' });
      });
      test('spends what is left', async ({ gemba }) => {
        await ask(gemba, 8000);
        gemba.record({ kind: 'ok', tokens: 1000 });
        const { code, message } = await ask(gemba, 1).then(() => ({}), (error) => error);
        expect(code).toBe('GEMBA_BUDGET_USED');
        expect(message).toContain('10000 tokens');
      });
    `;
    const config = configOf(vendor.url, { daily: { tokens: 10_000, resetsAt: '12:00 Europe/Berlin' } });
    const one = await project(config, spec);
    const { passed, output, report } = await one.run({ args: ['--workers=1'] });
    expect(passed, output).toBe(2);
    const key = report!.pools[0]!.keys[0]!;
    expect(key.tokensByModel).toMatchObject({ m: 9_500, other: 30 });
    expect(key.tokensEstimated).toBe(key.tokensByModel['silent']);
    expect(key.tokens).toBe(10_530 + key.tokensEstimated!);
    expect(report!.totals.tokens).toBe(key.tokens);
  });

  it('hold over machines', async () => {
    vendor.requests.length = 0;
    const spec = `
      test('asks', async ({ gemba }) => {
        const asked = await Promise.allSettled(Array.from({ length: 15 }, () => ask(gemba, 10)));
        const refused = asked.filter(({ status }) => status === 'rejected');
        for (const { reason } of refused) expect(reason.code).toBe('GEMBA_BUDGET_USED');
        if (refused.length > 0) throw refused[0].reason;
      });
    `;
    const config = configOf(vendor.url, { daily: { calls: 20 } }, { store: redis.url });
    const machines = [await project(config, spec), await project(config, spec)];
    const runs = await Promise.all(machines.map((machine) => machine.run()));
    const output = runs.map((run) => run.output).join('\n');
    expect(vendor.requests, output).toHaveLength(20);
    expect(runs.reduce((sum, { report }) => sum + report!.totals.calls, 0)).toBeGreaterThanOrEqual(20);
    expect(runs.map(({ report }) => report!.verdicts.environment)).toContain(1);
    expect(output).toContain('its budget of the day is used up (20 requests)');
  });
});
