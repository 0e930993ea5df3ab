import type { Project } from '../../client/project.ts';
import { isSwitchedOff } from '../../config/environment.ts';

/** Where the configuration is looked for, as the workers do it. */
export interface ConfigPlace {
  readonly folder: string;
  readonly option: string | undefined;
}

/** The live page's connection to the broker; null without a configuration. Throws where the configuration is not valid. */
export async function connectTo({ folder, option }: ConfigPlace): Promise<Project | null> {
  // GEMBA_PIN applies to runs only, not to administration.
  const env: NodeJS.ProcessEnv = { ...process.env, GEMBA_PIN: undefined };
  if (isSwitchedOff(env)) return null;
  // Most runs have no reader at the live page.
  const [{ findConfig }, { openProject }] = await Promise.all([
    import('../../config/find.ts'),
    import('../../client/project.ts'),
  ]);
  const file = findConfig({ env, option, from: folder });
  if (file === undefined) return null;
  return openProject(file, { env, role: 'command', run: `live page ${process.pid}` });
}
