import { readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { isAlive } from '../shared/processes.ts';

const RUN = /^run-(\d+)$/;

/**
 * Where a project's sessions are: beside what its broker keeps. With `GEMBA_SESSIONS=off` they are the run's own, and go with
 * it.
 */
export function sessionFolder(
  cacheFile: string,
  { GEMBA_SESSIONS }: Readonly<Record<string, string | undefined>>,
  run: number,
): string {
  const folder = ofProject(cacheFile);
  return GEMBA_SESSIONS === 'off' ? path.join(folder, `run-${run}`) : folder;
}

/** Removes what belongs to runs that have ended. */
export function forgetEndedRuns(cacheFile: string): void {
  const folder = ofProject(cacheFile);
  for (const name of namesIn(folder)) {
    const run = Number(RUN.exec(name)?.[1] ?? Number.NaN);
    if (run > 0 && !isAlive(run)) rmSync(path.join(folder, name), { force: true, recursive: true });
  }
}

function ofProject(cacheFile: string): string {
  return `${cacheFile.replace(/\.json$/, '')}.sessions`;
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
