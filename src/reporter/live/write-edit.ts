import { basename } from 'node:path';
import type { Env } from '../../shared/env.ts';
import { GembaError } from '../../core/errors.ts';
import type { EditedSettings, EditRequest } from './messages.ts';
import type { ActionResult } from './server.ts';

/** Writes an edit into the file; with the new revision where it was written. */
export async function writeEdit(
  path: string,
  { revision: shown, ...edit }: EditRequest,
  env: Env,
): Promise<ActionResult & { readonly revision?: string }> {
  const [{ editConfig }, { ConfigError }, { variablesFor }] = await Promise.all([
    import('../../config/edits/edit.ts'),
    import('../../config/problems.ts'),
    import('../../config/env-file.ts'),
  ]);
  const file = basename(path);
  try {
    const variables = variablesFor(path, env).env;
    const { revision, files } = editConfig(path, shown, edit, variables);
    const written = files.length === 0 ? file : files.map((each) => basename(each)).join(' and ');
    const text = `${edit.pool}/${edit.name} in ${written}: ${changesText(edit.set).join(', ')}.`;
    return { status: 200, text, revision };
  } catch (error) {
    if (error instanceof ConfigError && error.problems.length > 0) {
      // The page must not show this machine's folders.
      const problems = error.problems.map((problem) => `${problem.path}: ${problem.message}`);
      return { status: 400, text: `Nothing was written. ${problems.join('\n')}` };
    }
    if (GembaError.is(error) && error.code !== 'GEMBA_CONFIG_NOT_FOUND')
      return { status: error.code === 'GEMBA_CONFIG_CHANGED' ? 409 : 400, text: error.message };
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'GEMBA_CONFIG_NOT_FOUND')
      return { status: 404, text: `${file} no longer exists, so nothing was written.` };
    return { status: 500, text: `${file} could not be written (${code ?? 'unknown error'}).` };
  }
}

function changesText({ enabled, weight, maxConcurrent, rpm }: EditedSettings): string[] {
  const parts: string[] = [];
  if (enabled !== undefined) parts.push(enabled === false ? 'disabled' : 'enabled');
  if (weight !== undefined) parts.push(`weight ${weight ?? 'default'}`);
  if (maxConcurrent !== undefined)
    parts.push(
      maxConcurrent === null ? 'no limit of concurrent leases' : `${maxConcurrent} concurrent leases`,
    );
  if (rpm !== undefined)
    parts.push(rpm === null ? 'no limit of requests per minute' : `${rpm} requests per minute`);
  return parts.length > 0 ? parts : ['nothing changed'];
}
