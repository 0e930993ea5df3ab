import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request, type IncomingHttpHeaders } from 'node:http';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { monotonic } from '../../../src/core/clock.ts';
import { LiveView } from '../../../src/reporter/live/live.ts';
import { LiveRun } from '../../../src/reporter/live/run.ts';
import { reportOf, testCase } from './synthetic.ts';

const HOSTILE = `</script><img src=x onerror="alert(1)">`;
const nowhere = { folder: mkdtempSync(path.join(tmpdir(), 'gemba-live-')), option: undefined };

let view: LiveView;
let run: LiveRun;
let printed: string[];
let origin: string;
let token: string;

interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

beforeAll(async () => {
  printed = [];
  view = new LiveView({ host: '127.0.0.1', port: 0 }, nowhere, {
    print: (line) => printed.push(line),
    warn: (line) => printed.push(line),
  });
  run = newRun();
  await view.show(run);
  const address = new URL(printed[0]!.replace('Gemba live: ', ''));
  [origin, token] = [address.origin, address.searchParams.get('token')!];
});
afterAll(async () => {
  await view.close();
  rmSync(nowhere.folder, { recursive: true, force: true });
});

function newRun(): LiveRun {
  const report = reportOf([{ title: HOSTILE, file: `${HOSTILE}.ts`, results: [{ status: 'failed' }] }]);
  const source = {
    title: HOSTILE,
    tests: 3,
    report: (status: typeof report.run.status) => ({ ...report, run: { ...report.run, status } }),
    counts: () => ({ requests: 0, failures: 0 }),
  };
  return new LiveRun(source, monotonic);
}

function ask(
  to: string,
  options: { method?: string; headers?: Record<string, string>; body?: string } = {},
): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const { method = 'GET', headers = {}, body } = options;
    const sent = request(`${origin}${to}`, { method, headers, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      response.on('end', () => resolve({ status: response.statusCode!, headers: response.headers, text }));
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

const page = (): string => `/?token=${token}`;
const asJson = { 'content-type': 'application/json' };

describe('the live page', () => {
  it('prints its address once, with a random token', async () => {
    await view.show(run);
    expect(printed).toHaveLength(1);
    expect(printed[0]).toMatch(/^Gemba live: http:\/\/127\.0\.0\.1:\d+\/\?token=[\w-]{32}$/);
  });

  it('sends a page with its policy, which no cache keeps and no other site can frame', async () => {
    const { status, headers, text } = await ask(page());
    expect(status).toBe(200);
    expect(headers).toMatchObject({
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'x-frame-options': 'DENY',
    });
    const policy = String(headers['content-security-policy']);
    expect(policy).toMatch(
      /^default-src 'none';.*script-src 'sha256-.*connect-src 'self';.*frame-ancestors 'none'$/,
    );
    expect(Object.keys(headers).filter((name) => name.startsWith('access-control-'))).toEqual([]);
    expect(text).toContain('id="live"');
    expect(text).toContain('>Running<');
  });

  it('escapes titles', async () => {
    const { text } = await ask(page());
    const markup = text.replaceAll(/<(script|style)\b[^>]*>[\s\S]*?<\/\1>/g, '');
    expect(markup).not.toMatch(/<img|onerror="/);
    expect(markup).toContain('&lt;/script&gt;&lt;img');
  });

  it.each([
    ['a foreign host', { headers: { host: 'evil.example' } }],
    ['a host that was rebound', { headers: { host: 'evil.example:80' } }],
  ])('refuses %s', async (_what, options) => {
    expect(await ask(page(), options)).toMatchObject({ status: 403 });
  });

  it('refuses every request without the right token', async () => {
    for (const to of [
      '/',
      '/?token=',
      '/?token=wrong',
      `/?token=${token}x`,
      '/events',
      '/nothing',
      '/members',
      '/config',
    ]) {
      expect(await ask(to), to).toMatchObject({ status: 403 });
    }
    const body = JSON.stringify({ action: 'disable', pool: 'api', name: 'eu' });
    for (const headers of [asJson, { ...asJson, 'x-gemba-token': 'wrong' }]) {
      expect(await ask(`/members?token=${token}`, { method: 'POST', headers, body })).toMatchObject({
        status: 403,
      });
    }
  });

  it('refuses other origins, methods and bodies', async () => {
    const own = { ...asJson, 'x-gemba-token': token };
    const body = JSON.stringify({ action: 'disable', pool: 'api', name: 'eu' });
    const post = (headers: Record<string, string>, text: string): Promise<Reply> =>
      ask('/members', { method: 'POST', headers, body: text });
    expect(await post({ ...own, origin: 'http://evil.example' }, body)).toMatchObject({ status: 403 });
    expect(await post({ 'x-gemba-token': token }, body)).toMatchObject({ status: 415 });
    expect(await post(own, '{')).toMatchObject({ status: 400 });
    expect(await post(own, JSON.stringify({ action: 'drop', pool: 'api', name: 'eu' }))).toMatchObject({
      status: 400,
    });
    expect(await post(own, `"${'x'.repeat(10_000)}"`)).toMatchObject({ status: 400 });
    expect(await ask(`/?token=${token}`, { method: 'DELETE' })).toMatchObject({ status: 405 });
    expect(await ask(`/nothing?token=${token}`)).toMatchObject({ status: 404 });
    // In order, but there is no configuration here.
    expect(await post({ ...own, origin }, body)).toMatchObject({ status: 404 });
  });

  it('sends the present state, and announces a new report', async () => {
    const test = testCase({ title: HOSTILE, results: [{}] });
    run.testBegan(test.title, test.results[0]!);
    const events = await listen(1);
    expect(events[0]).toMatchObject({ event: 'state' });
    expect(events[0]!.data).toMatchObject({
      run: { phase: 'running', total: 3, done: 0 },
      running: [{ title: HOSTILE, retry: 0 }],
      pools: [],
      notice: 'No configuration was found here.',
    });
    const later = listen(3);
    run.testEnded(test, test.results[0]!);
    const names = (await later).map(({ event }) => event);
    expect(names).toContain('report');
  });

  it('stays open over runs, with the revision of the one it shows', async () => {
    const before = revisionIn((await ask(page())).text);
    const next = newRun();
    await view.show(next);
    expect(revisionIn((await ask(page())).text)).not.toBe(before);
    const file = path.join(nowhere.folder, 'index.html');
    next.end('timedout', { shown: 'gemba-report/index.html', file });
    await view.ended();
    expect((await ask(page())).text).toContain('>Timed out<');
    const [state] = await listen(1);
    expect(state!.data).toMatchObject({ run: { status: 'timedout', report: 'gemba-report/index.html' } });
    // Once it is there, a reload shows the page that was written; an open page goes on as it is.
    writeFileSync(file, 'the written page');
    expect((await ask(page())).text).toBe('the written page');
    expect((await ask(`/?update&token=${token}`)).text).toContain('>Timed out<');
    expect(printed).toHaveLength(1);
  });
});

describe('a port in use', () => {
  const blocker = createServer();
  afterEach(() => void blocker.close());

  it('prevents the page, not the run', async () => {
    await new Promise<void>((resolve) => blocker.listen(0, '127.0.0.1', resolve));
    const { port } = blocker.address() as AddressInfo;
    const lines: string[] = [];
    const output = {
      print: (line: string) => lines.push(`out ${line}`),
      warn: (line: string) => lines.push(line),
    };
    const other = new LiveView({ host: '127.0.0.1', port }, nowhere, output);
    await other.show(newRun());
    await other.ended();
    await other.close();
    expect(lines).toEqual([
      expect.stringMatching(
        new RegExp(`the live page cannot be opened: port ${port} .* is in use.*live: \\{ port \\}`),
      ),
    ]);
  });
});

function revisionIn(html: string): string | undefined {
  return /data-revision="([^"]*)"/.exec(html)?.[1];
}

interface Told {
  readonly event: string;
  readonly data: unknown;
}

/** The next events, as a page gets them. */
function listen(count: number): Promise<Told[]> {
  return new Promise((resolve, reject) => {
    const sent = request(`${origin}/events?token=${token}`, { agent: false }, (response) => {
      expect(response.headers['content-type']).toMatch(/^text\/event-stream/);
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
        const events = [...text.matchAll(/event: (\w+)\ndata: (.*)\n\n/g)];
        if (events.length < count) return;
        response.destroy();
        resolve(events.map(([, event, data]) => ({ event: event!, data: parsed(data!) })));
      });
    });
    sent.on('error', reject);
    sent.end();
  });
}

function parsed(text: string): unknown {
  return text.startsWith('{') ? (JSON.parse(text) as unknown) : text;
}
