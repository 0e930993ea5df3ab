import { packageVersion } from '../options.ts';
import type { Report } from '../report/model.ts';

export interface LivePage {
  readonly html: string;
  /** For the header `Content-Security-Policy`. */
  readonly policy: string;
}

/** A page that was written, which brings its policy. */
export async function writtenPage(file: string): Promise<LivePage> {
  const { readFile } = await import('node:fs/promises');
  return { html: await readFile(file, 'utf8'), policy: "frame-ancestors 'none'" };
}

/** A page of the pools alone. */
export async function poolsPage(title: string, startedAt: number): Promise<LivePage> {
  const [{ aggregate }, { emptyRunState }] = await Promise.all([
    import('../report/aggregate.ts'),
    import('../collect/run-state.ts'),
  ]);
  const facts = { status: 'passed', startedAt, durationMs: 0, playwright: '', shard: null } as const;
  const report = aggregate(emptyRunState(), [], { ...facts, version: packageVersion() });
  return livePage(report, title, { running: true, revision: '', alone: true });
}

/** The report so far as a page that events update. */
export async function livePage(
  report: Report,
  title: string,
  {
    running,
    revision,
    alone = false,
  }: { readonly running: boolean; readonly revision: string; readonly alone?: boolean },
): Promise<LivePage> {
  const [{ dashboardView }, { renderPage }] = await Promise.all([
    import('../page/view.ts'),
    import('../page/render.ts'),
  ]);
  const { html, policy } = await renderPage(
    dashboardView(report, title, null, { running, live: { revision, alone } }),
  );
  return { html, policy: `${policy}; frame-ancestors 'none'` };
}
