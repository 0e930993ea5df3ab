/**
 * Where the run takes place: the CI system (`ci.ts`), the working copy (`git.ts`), the reporters beside ours
 * (`other-reporters.ts`), and what the report can link to (`links.ts`). Read from variables and files; no command is started.
 */
import type { ReportRun } from '../report/model.ts';
import { ciRunOf } from './ci.ts';
import { gitStateOf } from './git.ts';

export function placeOfRun(env: NodeJS.ProcessEnv, folder: string): Pick<ReportRun, 'ci' | 'git'> {
  const ci = ciRunOf(env);
  if (!ci) return { ci: null, git: gitStateOf(folder) };
  const { defaultBranch: _default, ...shown } = ci;
  return { ci: shown, git: gitStateOf(folder) };
}
