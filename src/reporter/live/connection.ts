import type { Project } from '../../client/project.ts';
import { isSwitchedOff } from '../../config/environment.ts';

/** Where the configuration is looked for, as the workers do it. */
export interface ConfigPlace {
  readonly folder: string;
  readonly option: string | undefined;
  /** The file and the variables, where a command found them. */
  readonly found?: { readonly file: string; readonly env: NodeJS.ProcessEnv } | undefined;
}

/** The live page's connection to the broker; null without a configuration. Throws where the configuration is not valid. */
export async function connectTo({ folder, option, found }: ConfigPlace): Promise<Project | null> {
  // GEMBA_PIN applies to runs only, not to administration.
  const env: NodeJS.ProcessEnv = { ...process.env, GEMBA_PIN: undefined };
  if (isSwitchedOff(env)) return null;
  // Most runs have no reader at the live page.
  const [{ findConfig }, { openProject }] = await Promise.all([
    import('../../config/find.ts'),
    import('../../client/project.ts'),
  ]);
  const file = found?.file ?? findConfig({ env, option, from: folder });
  if (file === undefined) return null;
  const how = { env: found?.env ?? env, role: 'command', run: `live page ${process.pid}` } as const;
  if (!found) return openProject(file, how);
  const [{ probeFor }, { NO_TRUST }] = await Promise.all([
    import('../../fixtures/probe.ts'),
    import('../../http/tls.ts'),
  ]);
  // While no run does it, this process sends the probes that are due.
  const project: Project = openProject(file, {
    ...how,
    onProbe: (request) => probeFor(project.live.current?.config.pools ?? {}, request, NO_TRUST),
  });
  return project;
}
