import { type ChildProcess, spawn } from 'node:child_process';
import { constants } from 'node:os';
import { openProject, type Project } from '../client/project.ts';
import { isSwitchedOff } from '../config/environment.ts';
import { GembaError } from '../core/errors.ts';
import { ProjectLeases } from '../lease/project-leases.ts';
import { misuse } from './arguments.ts';
import type { Arguments, Command } from './command.ts';
import { filesOf, loadConfig } from './load.ts';
import { leaseVariables } from './run-variables.ts';
import type { Terminal } from './terminal.ts';

const PASSED_ON = ['SIGTERM', 'SIGHUP', 'SIGINT', 'SIGQUIT'] as const;
/** A terminal sends them to the command as well. */
const FROM_TERMINAL: ReadonlySet<string> = new Set(['SIGINT', 'SIGQUIT']);

/** More of a command's line says nothing to people who wait for it. */
const LONGEST_HOLDER = 200;

/** Exit codes of a command that cannot be started, as shells give them. */
const NOT_FOUND = 127;
const NOT_STARTED = 126;

/** Leases, runs a command with the lease in its environment, and ends as it ends. */
export const run: Command = async (args, terminal) => {
  const [command, ...rest] = args.operands;
  if (command === undefined) throw misuse(args.spec, 'needs a command after "--"');
  if (isSwitchedOff(terminal.env))
    throw new GembaError(
      'GEMBA_DISABLED',
      'GEMBA_DISABLE is set, so there are no leases. Unset it to use them.',
    );
  const need = needOf(args);
  const { config, env } = loadConfig(filesOf(args), terminal);
  let end: (why: string) => void = () => {};
  const project = openProject(config.path, {
    env: { ...env, GEMBA_PIN: terminal.env['GEMBA_PIN'] },
    role: 'worker',
    run: `command ${process.pid}`,
    onLost: (lease) => end(project.client.lossOf(lease) ?? 'its broker is gone'),
  });
  const leases = new ProjectLeases(project, [command, ...rest].join(' ').slice(0, LONGEST_HOLDER));
  try {
    const wish = { pool: args.values.get('pool'), endpoint: args.values.get('endpoint'), need };
    const held = await leases.take(wish);
    const variables = leaseVariables(held.read(), held.credentials, terminal.env);
    return await runCommand([command, ...rest], variables, project, terminal, (ending) => (end = ending));
  } finally {
    leases.close();
    project.close();
  }
};

/** `--need role=admin --need region=eu` */
function needOf({ spec, repeated }: Arguments): Record<string, string> {
  const pairs = (repeated.get('need') ?? []).map((text) => {
    const [, label, value] = /^([^=]+)=(.*)$/s.exec(text) ?? [];
    if (label === undefined || value === undefined)
      throw misuse(spec, `needs LABEL=VALUE after --need, not ${JSON.stringify(text)}`);
    return [label, value] as const;
  });
  return Object.fromEntries(pairs);
}

/**
 * The command inherits the socket by which this process is seen to live: where this one alone is killed, the lease stays held
 * as long as the command lives.
 */
async function runCommand(
  [command = '', ...args]: readonly string[],
  env: Terminal['env'],
  { client }: Project,
  { folder, warn }: Terminal,
  onLost: (end: (why: string) => void) => void,
): Promise<number> {
  const descriptor = await client.presenceDescriptor();
  const inherited = descriptor === null ? [] : [descriptor];
  let child: ChildProcess | null = null;
  // Before the command starts: a signal that comes as it begins is its own already.
  const handlers = PASSED_ON.map((signal) => {
    const pass = (): void => {
      if (!process.stdin.isTTY || !FROM_TERMINAL.has(signal)) child?.kill(signal);
    };
    process.on(signal, pass);
    return [signal, pass] as const;
  });
  try {
    const started = spawn(command, args, {
      cwd: folder,
      env,
      stdio: ['inherit', 'inherit', 'inherit', ...inherited],
    });
    child = started;
    onLost((why) => {
      warn(`gemba run: the lease was lost, so the command is ended: ${why}\n`);
      started.kill('SIGTERM');
    });
    return await new Promise<number>((resolve) => {
      started.once('error', (error: NodeJS.ErrnoException) => {
        warn(`gemba run: ${command} cannot be started (${error.code ?? error.message}).\n`);
        resolve(error.code === 'ENOENT' ? NOT_FOUND : NOT_STARTED);
      });
      started.once('exit', (code, signal) => resolve(code ?? 128 + constants.signals[signal!]));
    });
  } finally {
    for (const [signal, pass] of handlers) process.off(signal, pass);
  }
}
