import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { annotations } from '../../../src/reporter/announce/annotations.ts';
import { markdown } from '../../../src/reporter/announce/markdown.ts';
import { isWanted, notify, payload } from '../../../src/reporter/announce/webhooks.ts';
import type { RunHistory } from '../../../src/reporter/history/history-run.ts';
import { type FakeTest, leased, reportOf, START } from './synthetic.ts';

const location = { file: '/repo/tests/shop/total.ts', line: 12, column: 5 };
const FAKES: FakeTest[] = [
  {
    title: 'shows the total, 100 %: for all',
    results: [
      {
        status: 'failed',
        errors: [{ message: 'Error: expect(received).toBe(expected)\n\nExpected: 43', location }],
        records: [leased('api/eu/k', [[0, 'ok']])],
      },
    ],
  },
  {
    title: 'meets an outage',
    results: [{ status: 'failed', records: [leased('api/eu/k', [[9, 'network']])] }],
  },
  { title: 'is flaky', results: [{ status: 'failed', records: [leased('api/eu/k', [[0, 'ok']])] }, {}] },
];
const report = reportOf(FAKES, { status: 'failed' });

describe('annotations', () => {
  it('are one line a failed test, at its error or the test, with the verdict', () => {
    expect(annotations(report, { rootDir: '/repo/tests', workspace: '/repo' })).toMatchInlineSnapshot(`
      [
        "::error file=tests/shop/total.ts,line=12,col=5,title=shows the total%2C 100 %25%3A for all::product: Error: expect(received).toBe(expected)%0Aits 1 request did not end in a fault of an endpoint, a key or the network",
        "::warning file=tests/orders.spec.ts,line=3,title=meets an outage::environment: api/eu/k: network, 1×, 02:00:00–02:00:00",
      ]
    `);
  });

  it('cannot be broken by a title or an error', () => {
    const hostile = 'x::error::y\r\n::warning file=a::b %0A, c';
    const fakes = [
      { title: hostile, file: 'a,b:c.spec.ts', results: [{ status: 'failed' as const, error: hostile }] },
    ];
    const lines = annotations(reportOf(fakes), { rootDir: '/repo/tests', workspace: '/repo' });
    expect(lines).toHaveLength(1);
    expect(lines[0]!.split(/[\r\n]/)).toHaveLength(1);
    expect(lines[0]).toMatch(/^::error file=tests\/a%2Cb%3Ac\.spec\.ts,line=3,title=[^:]*::unknown/);
  });
});

describe('the Markdown of a pull request', () => {
  it('has branch, commit, CI run, and what is new', () => {
    const ci = {
      provider: 'github' as const,
      url: 'https://ci.example/1',
      branch: 'fix|total',
      commit: '0123456789abcdef',
    };
    const [failed, , flaky] = report.tests;
    const run = { startedAt: new Date(START - 86_400_000).toISOString() } as RunHistory['runs'][number];
    const outcomes = new Map([
      [failed!.id, 'PP'],
      [flaky!.id, 'pf'],
    ]);
    const history: RunHistory = { runs: [run], own: null, outcomes, comparedWith: 'main' };
    const links = { ci: 'https://ci.example/(1)', playwrightReport: null };
    const text = markdown(reportOf(FAKES, { status: 'failed', ci, links }), 'Nightly', history);
    expect(text).toContain('fix&#124;total · 0123456789 · [CI run](https://ci.example/%281%29)');
    expect(text).toContain('| failed, still failing since 2026-11-22 (2 runs) | product |');
    expect(text).toContain(
      '| tests/shop'.slice(0, 2) + 'shop/total.ts:12 | Error: expect(received).toBe(expected) |',
    );
    expect(text).toContain('| flaky, flaky by the product in 1 run | product |');
  });
});

describe('a webhook', () => {
  const received: { url: string; body: string }[] = [];
  const warned: string[] = [];
  let server: Server;
  let origin: string;

  beforeAll(async () => {
    server = createServer((request, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => (body += chunk.toString()));
      request.on('end', () => {
        received.push({ url: request.url!, body });
        const { pathname } = new URL(request.url!, 'http://x');
        if (pathname === '/hangs') return;
        if (pathname === '/moves') response.writeHead(302, { location: '/elsewhere' });
        else response.writeHead(pathname === '/fails' ? 500 : 200);
        response.end();
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => {
    server.close();
    server.closeAllConnections();
  });

  const tell = async (webhook: string, env = {}): Promise<string[]> => {
    warned.length = 0;
    received.length = 0;
    await notify([{ webhook, on: ['always'] }], report, 'Nightly', {
      env,
      warn: (line) => warned.push(line),
    });
    return warned;
  };

  it('is told in words and in numbers, at an address from the environment', async () => {
    expect(await tell('${HOOK}/services/secret-path', { HOOK: origin })).toEqual([]);
    expect(received.map(({ url }) => url)).toEqual(['/services/secret-path']);
    expect(JSON.parse(received[0]!.body)).toMatchObject({
      text: expect.stringMatching(
        /^Nightly: 2 of 3 tests failed: 1 product failure, 1 environment failure\.\n• product/,
      ) as string,
      status: 'failed',
      totals: { tests: 3, failed: 2 },
      verdicts: { product: 2, environment: 1, unknown: 0 },
    });
  });

  it.each([
    ['/fails', /^notify: the webhook at 127\.0\.0\.1:\d+ answered 500$/],
    ['/moves', /^notify: the webhook at 127\.0\.0\.1:\d+ could not be reached$/],
  ])('that %s gets one try and a warning without its path', async (path, warning) => {
    expect(await tell(`${origin}${path}?token=secret-token`)).toEqual([expect.stringMatching(warning)]);
    expect(received).toHaveLength(1);
  });

  it('costs at most five seconds', async () => {
    const began = performance.now();
    expect(await tell(`${origin}/hangs`)).toEqual([expect.stringMatching(/did not answer within 5 s$/)]);
    expect(performance.now() - began).toBeLessThan(9000);
  }, 20_000);

  it('is not called where its variable is not set, or holds no address', async () => {
    expect(await tell('${HOOK}')).toEqual([
      'notify: the webhook is not called, since the variable HOOK is not set',
    ]);
    expect(await tell('file:///etc/passwd')).toEqual(['notify: the webhook is not an http address']);
    expect(received).toEqual([]);
  });

  it.each([
    [['product'], true],
    [['unknown', 'degraded', 'gate'], false],
    [['gate', 'environment'], true],
    [['always'], true],
    [[], false],
  ] as const)('on %j is told: %s', (on, expected) => {
    expect(isWanted(report, on)).toBe(expected);
  });

  it('gets no title as a mention or a link', () => {
    const hostile = reportOf([
      { title: 'a', results: [{ status: 'failed', error: '<!channel> @here <http://x|y>' }] },
    ]);
    const { text } = payload(hostile, '<!channel> @team') as { text: string };
    expect(text).not.toMatch(/[<>]|@(?!\u200b)/);
  });
});
