import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { scriptSafeJson } from './island.ts';
import type { DashboardView } from './view.ts';

const TEMPLATES = new URL('../../templates/', import.meta.url);
const STYLES: readonly string[] = ['dashboard.css', 'charts.css', 'tables.css', 'lists.css', 'media.css'];
const SCRIPTS: readonly string[] = ['dashboard.js', 'timeline.js', 'data.js', 'tests.js', 'errors.js'];
const LIVE_STYLES: readonly string[] = ['live.css'];
const LIVE_SCRIPTS: readonly string[] = ['edit.js', 'live.js'];

interface Sources {
  readonly page: string;
  readonly css: string;
  readonly script: string;
  readonly partials: readonly { readonly name: string; readonly source: string }[];
}

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

const filePage = once(() => prepare(false));
const livePage = once(() => prepare(true));

/** A live page is made again and again; reading and compiling its templates takes longer than filling them. */
function once(make: () => Promise<Prepared>): () => Promise<Prepared> {
  let made: Promise<Prepared> | null = null;
  return () => {
    made ??= make();
    made.catch(() => (made = null));
    return made;
  };
}

async function prepare(live: boolean): Promise<Prepared> {
  // Loading Handlebars takes longer than most runs' whole report, so it is loaded when there is one to write.
  const [{ default: handlebars }, sources] = await Promise.all([import('handlebars'), readSources(live)]);
  const engine = handlebars.create();
  for (const { name, source } of sources.partials) engine.registerPartial(name, compact(source));
  const template = engine.compile<object>(compact(sources.page), { strict: true, knownHelpersOnly: true });
  const { css, script } = sources;
  const hash = createHash('sha256').update(script).digest('base64');
  const connect = live ? " connect-src 'self';" : '';
  const policy = `default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-${hash}'; img-src data:;${connect} base-uri 'none'; form-action 'none'`;
  return { template, css, script, policy };
}

async function readSources(live: boolean): Promise<Sources> {
  const names = (await readdir(new URL('partials/', TEMPLATES))).filter((name) => name.endsWith('.hbs'));
  const partials = names.map(async (name) => ({
    name: name.slice(0, -'.hbs'.length),
    source: await read(`partials/${name}`),
  }));
  const [page, styles, scripts] = await Promise.all([
    read('dashboard.hbs'),
    Promise.all([...STYLES, ...(live ? LIVE_STYLES : [])].map(read)),
    Promise.all([...SCRIPTS, ...(live ? LIVE_SCRIPTS : [])].map(read)),
  ]);
  const script = `(() => {\n'use strict';\n${scripts.join('\n')}})();`;
  return { page, css: styles.join('\n'), script, partials: await Promise.all(partials) };
}

function read(name: string): Promise<string> {
  return readFile(new URL(name, TEMPLATES), 'utf8');
}

/** Line breaks beside tags and mustaches are only layout of the template; on the page each would be a DOM node. */
function compact(source: string): string {
  return source.replaceAll(/(?<=[>}])\s*\n\s*|\s*\n\s*(?=[<{])/g, '');
}
