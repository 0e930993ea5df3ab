import type { Project } from '../../client/project.ts';
import { isSwitchedOff } from '../../config/environment.ts';

/** Where the configuration may be: as the workers look for it. */
export interface ConfigPlace {
  readonly folder: string;
  readonly option: string | undefined;
}

/** The live page's side of the broker; null where there is no configuration. Throws what is wrong with it. */
export async function connectTo({ folder, option }: ConfigPlace): Promise<Project | null> {
  // GEMBA_PIN applies to runs only, not to administration.
  const env: NodeJS.ProcessEnv = { ...process.env, GEMBA_PIN: undefined };
  if (isSwitchedOff(env)) return null;
  // Loaded by the first who looks: most runs have nobody at the live page.
  const [{ findConfig }, { openProject }] = await Promise.all([
    import('../../config/find.ts'),
    import('../../client/project.ts'),
  ]);
  const file = findConfig({ env, option, from: folder });
  if (file === undefined) return null;
  return openProject(file, { env, role: 'command', run: `live page ${process.pid}` });
}
