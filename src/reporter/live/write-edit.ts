import { basename } from 'node:path';
import type { Env } from '../../config/variables.ts';
import { GembaError } from '../../core/errors.ts';
import type { Edit } from './requests.ts';
import type { Done } from './server.ts';

/** Writes an edit into the file, and says what it came to; with the new revision where it was written. */
export async function writeEdit(
  path: string,
  { revision: shown, ...edit }: Edit,
  env: Env,
): Promise<Done & { readonly revision?: string }> {
  const [{ editConfig }, { ConfigError }] = await Promise.all([
    import('../../config/edits/edit.ts'),
    import('../../config/problems.ts'),
  ]);
  const file = basename(path);
  try {
    const revision = editConfig(path, shown, edit, env);
    const text = `${edit.pool}/${edit.name} in ${file}: ${inWords(edit.set).join(', ')}.`;
    return { status: 200, text, revision };
  } catch (error) {
    if (error instanceof ConfigError && error.problems.length > 0) {
      // Whoever is at the page may not know this machine's folders.
      const problems = error.problems.map((problem) => `${problem.path}: ${problem.message}`);
      return { status: 400, text: `Nothing was written. ${problems.join('\n')}` };
    }
    if (GembaError.is(error) && error.code !== 'GEMBA_CONFIG_NOT_FOUND')
      return { status: error.code === 'GEMBA_CONFIG_CHANGED' ? 409 : 400, text: error.message };
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'GEMBA_CONFIG_NOT_FOUND')
      return { status: 404, text: `There is no ${file} any more, so nothing was written.` };
    return { status: 500, text: `${file} could not be written (${code ?? 'unknown error'}).` };
  }
}

function inWords({ enabled, weight, maxConcurrent, rpm }: Edit['set']): string[] {
  const said: string[] = [];
  if (enabled !== undefined) said.push(enabled === false ? 'kept out of every lease' : 'enabled');
  if (weight !== undefined) said.push(`weight ${weight ?? 'as by default'}`);
  if (maxConcurrent !== undefined)
    said.push(maxConcurrent === null ? 'no limit of leases at once' : `leases at once ${maxConcurrent}`);
  if (rpm !== undefined) said.push(rpm === null ? 'no limit of calls per minute' : `calls per minute ${rpm}`);
  return said.length > 0 ? said : ['nothing changed'];
}
