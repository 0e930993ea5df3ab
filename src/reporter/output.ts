import path from 'node:path';
import type { RunHistory } from './history/history-run.ts';
import type { Report } from './report/model.ts';
import { writeWhole } from '../shared/write-whole.ts';
import { reportText } from './report/text.ts';

export const PAGE = 'index.html';
export const DATA = 'report.json';

/** The data of a report, for machines. */
export function writeData(folder: string, report: Report): Promise<void> {
  return writeWhole(path.join(folder, DATA), reportText(report));
}

/** The page of a report, for people. Returns its path. */
export async function writePage(
  folder: string,
  report: Report,
  title: string,
  history: RunHistory | null,
): Promise<string> {
  const page = path.join(folder, PAGE);
  // Loaded when there is a page to write: most of the package's time at a start would be theirs.
  const [{ dashboardView }, { renderDashboard }] = await Promise.all([
    import('./page/view.ts'),
    import('./page/render.ts'),
  ]);
  await writeWhole(page, await renderDashboard(dashboardView(report, title, history)));
  return page;
}
