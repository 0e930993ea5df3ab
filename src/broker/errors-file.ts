import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { brokerErrorsFile } from '../shared/local-sockets.ts';
import { privateFolders } from '../shared/private-folder.ts';

/** Removes the file with the standard error of this process, which ends as it should. */
export function forgetErrors([project]: readonly string[]): void {
  if (project === undefined) return;
  for (const folder of privateFolders())
    rmSync(join(folder, brokerErrorsFile(project, process.pid)), { force: true });
}
