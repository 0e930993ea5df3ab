/**
 * Tells others of the run's end: GitHub's job page (`markdown.ts`, also for `gemba show-report --markdown`), the changed
 * files of a pull request (`annotations.ts`), chat services (`webhooks.ts`). Where shards are merged, the merge does it, not each
 * shard.
 */
import { appendFileSync, statSync } from 'node:fs';
import type { OtherReporters } from '../environment/other-reporters.ts';
import type { RunHistory } from '../history/history-run.ts';
import type { Settings } from '../options.ts';
import type { Report } from '../report/model.ts';

interface Announcement {
  readonly report: Report;
  readonly history: RunHistory | null;
  readonly settings: Settings;
  readonly others: OtherReporters;
  readonly rootDir: string;
  readonly print: (line: string) => void;
  readonly warn: (line: string) => void;
  /** Runs one of the steps; what it throws becomes a warning. */
  readonly guard: (what: string, action: () => Promise<void>) => Promise<unknown>;
}

export async function announce(announcement: Announcement): Promise<void> {
  const { report, history, settings, others, rootDir, print, warn, guard } = announcement;
  if (settings.mode !== 'merge' && others.hasBlob) return;
  const { stepSummaryFile, title, notify, env } = settings;
  if (stepSummaryFile !== null) {
    await guard('write the step summary', async () => {
      const { markdown } = await import('./markdown.ts');
      appendTo(stepSummaryFile, markdown(report, title, history));
    });
  }
  if (areAnnotationsWanted(settings, others)) {
    await guard('write annotations', async () => {
      const { annotations } = await import('./annotations.ts');
      const workspace = env['GITHUB_WORKSPACE'] || settings.cwd;
      for (const line of annotations(report, { rootDir, workspace })) print(line);
    });
  }
  if (notify.length > 0 && !settings.interactiveRun) {
    await guard('notify', async () => {
      const webhooks = await import('./webhooks.ts');
      await webhooks.notify(notify, report, title, { env, warn });
    });
  }
}

function areAnnotationsWanted({ ciAnnotations, env }: Settings, { hasGithub }: OtherReporters): boolean {
  if (ciAnnotations !== 'auto') return ciAnnotations;
  return env['GITHUB_ACTIONS'] === 'true' && !hasGithub;
}

/** Never to a pipe that nobody reads: that would not end. */
function appendTo(file: string, text: string): void {
  const stats = statSync(file, { throwIfNoEntry: false });
  if (stats && !stats.isFile()) throw new Error(`${file} is not a file`);
  appendFileSync(file, text);
}
