import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { scriptSafeJson } from './page-data.ts';
import { TEMPLATES } from './template-sources.ts';
import type { DashboardView } from './view.ts';

const STYLES: readonly string[] = ['dashboard.css', 'charts.css', 'tables.css', 'lists.css', 'media.css'];
const SCRIPTS: readonly string[] = ['dashboard.js', 'timeline.js', 'data.js', 'tests.js', 'errors.js'];
const LIVE_STYLES: readonly string[] = ['live.css'];
const LIVE_SCRIPTS: readonly string[] = ['edit.js', 'live.js'];

/** The report as one HTML file that needs nothing else: no network, no other file, no server. */
export async function renderDashboard(view: DashboardView): Promise<string> {
  return (await renderPage(view)).html;
}

/** The page and the policy that it carries (Content Security Policy). */
export async function renderPage(view: DashboardView): Promise<{ html: string; policy: string }> {
  const { template, css, script, policy } = await (view.live ? livePage() : filePage());
  const timelineJson = scriptSafeJson(view.timeline?.data ?? null);
  return { html: template({ ...view, css, script, policy, timelineJson }), policy };
}

interface Prepared {
  readonly template: (view: object) => string;
  readonly css: string;
  readonly script: string;
  readonly policy: string;
}

const filePage = memoize(() => prepare(false));
const livePage = memoize(() => prepare(true));

/** A live page is made again and again: its parts are read once. */
function memoize(make: () => Promise<Prepared>): () => Promise<Prepared> {
  let made: Promise<Prepared> | null = null;
  return () => {
    made ??= make();
    made.catch(() => (made = null));
    return made;
  };
}

async function prepare(live: boolean): Promise<Prepared> {
  const [template, css, script] = await Promise.all([
    // Loaded when there is a page to write.
    import('./templates.ts').then(({ pageTemplate }) => pageTemplate()),
    readAll([...STYLES, ...(live ? LIVE_STYLES : [])]),
    readAll([...SCRIPTS, ...(live ? LIVE_SCRIPTS : [])]).then(
      (scripts) => `(() => {\n'use strict';\n${scripts}})();`,
    ),
  ]);
  const hash = createHash('sha256').update(script).digest('base64');
  const connect = live ? " connect-src 'self';" : '';
  const policy = `default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-${hash}'; img-src data:;${connect} base-uri 'none'; form-action 'none'`;
  return { template, css, script, policy };
}

async function readAll(names: readonly string[]): Promise<string> {
  const texts = await Promise.all(names.map((name) => readFile(new URL(name, TEMPLATES), 'utf8')));
  return texts.join('\n');
}
