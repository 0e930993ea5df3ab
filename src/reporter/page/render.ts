/**
 * Renders index.html. `view.ts` turns the report into texts, one file for each section (`view-*.ts`, charts in `charts.ts`,
 * `member-timeline.ts` and `worker-timeline.ts`); the Handlebars templates of `templates/` place them and decide nothing. What the lists need beyond their
 * first rows is packed by `page-data.ts` in the form of `data-format.ts`, for the script in `browser/`. The build compiles templates
 * (`templates.ts`) and bundles scripts (`scripts.ts`).
 */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { scriptSafeJson } from './page-data.ts';
import { TEMPLATES } from './template-sources.ts';
import type { DashboardView } from './view.ts';

const STYLES: readonly string[] = ['dashboard.css', 'charts.css', 'tables.css', 'lists.css', 'media.css'];
const LIVE_STYLES: readonly string[] = ['live.css'];

/** The report as one HTML file that needs no network, no other file and no server. */
export async function renderDashboard(view: DashboardView): Promise<string> {
  return (await renderPage(view)).html;
}

/** The page and its Content Security Policy. */
export async function renderPage(view: DashboardView): Promise<{ html: string; policy: string }> {
  const { template, css, script, policy } = await (view.live ? livePage() : filePage());
  const timelineJson = scriptSafeJson(view.timeline?.data ?? null);
  return { html: template({ ...view, css, script, policy, timelineJson }), policy };
}

interface PreparedTemplate {
  readonly template: (view: object) => string;
  readonly css: string;
  readonly script: string;
  readonly policy: string;
}

const filePage = memoize(() => prepare(false));
const livePage = memoize(() => prepare(true));

/** A live page is rendered again and again; its parts are read once. */
function memoize(make: () => Promise<PreparedTemplate>): () => Promise<PreparedTemplate> {
  let made: Promise<PreparedTemplate> | null = null;
  return () => {
    made ??= make();
    made.catch(() => (made = null));
    return made;
  };
}

async function prepare(live: boolean): Promise<PreparedTemplate> {
  const [template, css, script] = await Promise.all([
    // Loaded when there is a page to write.
    import('./templates.ts').then(({ pageTemplate }) => pageTemplate()),
    readAll([...STYLES, ...(live ? LIVE_STYLES : [])]),
    import('./scripts.ts')
      .then(({ pageScripts }) => pageScripts())
      .then((scripts) => (live ? scripts.live : scripts.page)),
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
