import type { Report } from '../report/model.ts';

export interface LivePage {
  readonly html: string;
  /** For the header `Content-Security-Policy`. */
  readonly policy: string;
}

/** The report so far as a page that events update. */
export async function livePage(
  report: Report,
  title: string,
  { running, revision }: { readonly running: boolean; readonly revision: string },
): Promise<LivePage> {
  const [{ dashboardView }, { renderPage }] = await Promise.all([
    import('../page/view.ts'),
    import('../page/render.ts'),
  ]);
  const { html, policy } = await renderPage(
    dashboardView(report, title, null, { running, live: { revision } }),
  );
  return { html, policy: `${policy}; frame-ancestors 'none'` };
}
