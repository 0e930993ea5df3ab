import { NO_TRUST } from '../http/tls.ts';
import { findConfig, expectedConfig } from '../config/find.ts';
import { isSwitchedOff } from '../config/environment.ts';
import { joinProject, openProject, type Project, type ProjectOptions } from '../client/project.ts';
import { GembaError } from '../core/errors.ts';
import { probeFor } from '../fixtures/probe.ts';

/** The project of a process that is no Playwright worker: from its file or, where that is invalid, beside its broker. */
export async function openedProject(option: string | undefined): Promise<Project> {
  const { env } = process;
  if (isSwitchedOff(env))
    throw new GembaError(
      'GEMBA_DISABLED',
      'GEMBA_DISABLE is set, so there are no leases. Unset it to use them.',
    );
  const where = { env, option, optionName: 'openGemba({ config })', from: process.cwd() };
  const file = findConfig(where);
  if (file === undefined) throw notFound();
  // The run of a globalSetup is that of its runner's process.
  const run = String(process.pid);
  const options: ProjectOptions = {
    env,
    role: 'worker',
    run,
    onProbe: (request) => probeFor(project.live.current?.config.pools ?? {}, request, NO_TRUST),
    print: (text) => void process.stderr.write(`${text}\n`),
  };
  const project = await openOrJoin(file, expectedConfig(where), options);
  return project;
}

/** A run that goes on keeps the last valid revision. */
async function openOrJoin(file: string, expected: string, options: ProjectOptions): Promise<Project> {
  try {
    return openProject(file, options);
  } catch (error) {
    const joined = await joinProject(expected, options).catch(() => null);
    if (joined?.client.isKnownRun) return joined;
    joined?.close();
    throw error;
  }
}

function notFound(): GembaError {
  return new GembaError(
    'GEMBA_CONFIG_NOT_FOUND',
    `No gemba.config.json was found from ${process.cwd()} upward, so there is nothing to lease.\n` +
      'Create one with `npx gemba init`, or name it with openGemba({ config: "path" }) or GEMBA_CONFIG.',
  );
}
