import { readFileSync } from 'node:fs';
import { inflateRawSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { packPageData, scriptSafeJson } from '../../../src/reporter/page/page-data.ts';
import type { Report } from '../../../src/reporter/report/model.ts';
import { renderDashboard } from '../../../src/reporter/page/render.ts';
import { dashboardView } from '../../../src/reporter/page/view.ts';
import { orderTests } from '../../../src/reporter/page/view-tests.ts';
import { type FakeTest, leased, reportOf, START } from './synthetic.ts';

const HOSTILE = `</script><script>alert(1)</script><img src=x onerror="alert('2')"> {{constructor}} & \u2028`;
const ROSTER = [
  {
    name: `api${HOSTILE}`,
    endpoints: [{ name: 'eu', url: `https://eu.example.test/${HOSTILE}` }],
    keys: [{ name: `k${HOSTILE}`, fingerprint: HOSTILE }],
  },
];

const render = (report: Report, title = 'Gemba report'): Promise<string> =>
  renderDashboard(dashboardView(report, title));

function hostileReport(): Report {
  const transition = { pool: 'api', endpoint: 'eu', key: null, from: 'healthy', to: 'ejected' } as const;
  const bad = leased('api/eu/k1', [[0, 'server', 503]], {
    memberList: ROSTER,
    revision: HOSTILE,
    configErrors: [HOSTILE],
    errors: [{ at: START, lease: 0, kind: 'server', status: 503, message: HOSTILE }],
    strategies: [{ task: HOSTILE, name: HOSTILE, ok: true, durationMs: 1, fallback: false }],
    transitions: [{ ...transition, seq: 1, broker: 'b', at: START, why: HOSTILE, until: START + 9e6 }],
    gate: { product: 'fail', environment: 'fail', unknown: 'fail', degraded: 'fail', shards: 'warn' },
  });
  const told = { verdict: 'environment' as const, evidence: [HOSTILE] };
  return reportOf([
    {
      title: HOSTILE,
      file: `${HOSTILE}.spec.ts`,
      project: HOSTILE,
      results: [{ status: 'failed', records: [bad] }],
    },
    { title: 'b', results: [{ status: 'failed', records: [leased('api/eu/k1', [], { verdict: told })] }] },
  ]);
}

/** The page without its script and style: what is left is markup. */
function markupOf(page: string): string {
  return page.replaceAll(/<(script|style)\b[^>]*>[\s\S]*?<\/\1>/g, '');
}

describe('the page', () => {
  it('escapes all untrusted text', async () => {
    const page = await render(hostileReport(), HOSTILE);
    expect(page.match(/<script/g)).toHaveLength(5);
    expect(page.match(/<\/script>/g)).toHaveLength(5);
    expect(page).not.toContain('alert(1)<');
    const markup = markupOf(page);
    expect(markup).not.toMatch(/<script|<img|onerror="/);
    expect(markup).toContain('&lt;/script&gt;&lt;script&gt;alert(1)');
    expect(markup).toContain('{{constructor}}');
  });

  it('requests nothing from the network', async () => {
    const page = await render(hostileReport());
    const addresses = [...page.matchAll(/\s(?:src|href|action|poster|srcset)\s*=\s*"([^"]*)"/g)].map(
      ([, address]) => address,
    );
    expect(addresses.filter((address) => !address!.startsWith('#'))).toEqual(['data:,']);
    expect(page).not.toMatch(/@import|url\(|\bfetch\(|XMLHttpRequest|new WebSocket|EventSource|\bimport\(/);
    expect(page).toContain("default-src 'none'");
  });

  it('has a language, a title, ordered headings and labelled controls', async () => {
    const page = await render(hostileReport());
    expect(page).toMatch(/^<!doctype html>\s*<html lang="en">/);
    expect(page).toContain('<title>Failed · Gemba report</title>');
    const levels = [...markupOf(page).matchAll(/<h([1-6])/g)].map(([, level]) => Number(level));
    expect(levels[0]).toBe(1);
    expect(levels.every((level, index) => level <= (levels[index - 1] ?? 0) + 1)).toBe(true);
    const controls = markupOf(page).match(/<(?:input|select)\b/g)?.length;
    expect(markupOf(page).match(/<label[^>]*>[^<]*<(?:input|select)\b/g)).toHaveLength(controls!);
  });

  it('shows “not measured” instead of numbers', async () => {
    const page = markupOf(await render(reportOf([{ title: 'a', results: [{}] }])));
    expect(page).toContain('No test took a lease, so nothing was measured.');
    expect(page).not.toContain('100 %');
    expect(page).not.toContain('id="timeline"');
    expect(markupOf(await render(reportOf([])))).toContain('No test ran.');
  });

  it('marks pinned and degraded tests', async () => {
    const special = leased('api/eu/k1', [[0, 'ok']], {
      pinned: { pool: 'api', to: 'eu', by: 'baseURL' },
      degraded: true,
    });
    const page = markupOf(await render(reportOf([{ title: 'a', results: [{ records: [special] }] }])));
    expect(page).toContain('<em>degraded</em><em>pinned</em>');
    expect(page).toContain('1 test ran degraded: on a fallback.');
    expect(page).toContain('1 test ran pinned to a target.');
  });

  it('stays small and short for ten thousand tests', async () => {
    const tests = Array.from({ length: 10_000 }, (_, index): FakeTest => ({
      title: `does thing ${index} with ${(index * 7919) % 1000}`,
      file: `suite-${index % 50}.spec.ts`,
      line: index % 400,
      results: [
        {
          status: index % 50 === 0 ? 'failed' : 'passed',
          durationMs: (index * 37) % 5000,
          records: [
            leased(
              `api/eu-${index % 3}/k${index % 5}`,
              Array.from(
                { length: 10 },
                (_unused, call) => [call * 30, index % 50 === 0 ? 'timeout' : 'ok'] as const,
              ),
              { startedAt: START + index * 300 },
            ),
          ],
        },
      ],
    }));
    const page = await render(reportOf(tests, { durationMs: 3_000_000 }));
    expect(page.length).toBeLessThan(1_500_000);
    expect(markupOf(page).match(/<[a-z]/g)!.length).toBeLessThan(1500);
    expect(page.match(/<tr data-test=/g)).toHaveLength(30);
  }, 30_000);
});

describe('the page data', () => {
  it('has every test and error, failed tests first', () => {
    const report = reportOf([
      { title: 'fine', results: [{}] },
      { title: 'skipped', results: [{ status: 'skipped' }] },
      { title: 'flaky', results: [{ status: 'failed' }, {}] },
      { title: 'env', results: [{ status: 'failed', records: [leased('api/eu/k1', [[0, 'network']])] }] },
      { title: 'bug', results: [{ status: 'failed', records: [leased('api/eu/k1', [[0, 'ok']])] }] },
    ]);
    const packed = packPageData(report, orderTests(report.tests));
    expect(packed).toMatch(/^[A-Za-z0-9+/]+=*$/);
    const data: unknown = JSON.parse(inflateRawSync(Buffer.from(packed, 'base64')).toString());
    expect(data).toMatchObject({
      members: ['api/eu/k1'],
      tests: [['bug'], ['env'], ['flaky'], ['fine'], ['skipped']].map(
        ([title]) => expect.arrayContaining([title]) as unknown,
      ),
      errors: [],
    });
  });

  it('cannot end its script element as plain JSON', () => {
    const value = { text: HOSTILE, lines: '\u2028\u2029' };
    expect(scriptSafeJson(value)).not.toMatch(/[<\u2028\u2029]/);
    expect(JSON.parse(scriptSafeJson(value))).toEqual(value);
  });
});

it('loads Handlebars only when there is a page to write', () => {
  const source = readFileSync(new URL('../../../src/reporter/page/render.ts', import.meta.url), 'utf8');
  expect(source).toContain("import('./templates.ts')");
  expect(source).not.toMatch(/from '(handlebars|\.\/templates\.ts)'/);
});
