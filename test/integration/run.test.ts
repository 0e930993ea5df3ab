import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createInlineProject, type Finished, type InlineProject } from '../harness/run-inline-test.ts';
import { type SessionServer, sessionServer } from '../harness/servers.ts';

const KEYS = ['run-key-one-1', 'run-key-two-2'];

let server: SessionServer;
let project: InlineProject;
let cli: string;

beforeAll(async () => {
  server = await sessionServer(KEYS);
  const pool = {
    endpoints: [{ name: 'eu', url: server.url, headers: { 'x-tenant': 'qa' } }],
    keys: [
      {
        name: 'ada',
        value: KEYS[0],
        maxConcurrent: 1,
        labels: { role: 'admin' },
        fields: { 'user.name': 'ada@example.test' },
      },
      { name: 'ben', value: KEYS[1], maxConcurrent: 1 },
    ],
  };
  project = await createInlineProject({
    'gemba.config.json': JSON.stringify({ pools: { api: pool } }),
    'ask.py': `
import json, os, sys, urllib.request
ask = urllib.request.Request(os.environ['GEMBA_URL'] + '/orders', headers={'authorization': os.environ['GEMBA_HEADER_AUTHORIZATION']})
with urllib.request.urlopen(ask) as answer:
    print(json.dumps({'status': answer.status, 'ours': {k: v for k, v in os.environ.items() if k.startswith('GEMBA_')}}))
sys.exit(7)
`,
  });
  cli = path.join(project.folder, 'node_modules/gemba-agent/dist/cli.cjs');
});

afterAll(async () => {
  await server.close();
  await project.cleanup();
});

function gemba(...args: readonly string[]): Promise<Finished> {
  return project.node([cli, ...args], { timeoutMs: 40_000 });
}

/** Runs `gemba run` for as long as its command wants; the process is the caller's to kill. */
async function started(...args: readonly string[]): Promise<{ child: ChildProcess; line: string }> {
  const child = spawn(process.execPath, [cli, 'run', ...args], {
    cwd: project.folder,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`gemba run ended with ${code} before its command said anything`);
  });
  const [chunk] = (await Promise.race([once(child.stdout!, 'data'), ended])) as [Buffer];
  ended.catch(() => {});
  return { child, line: chunk.toString().trim() };
}

interface Status {
  pools: { leases: { holder: string; key: string }[]; members: { name: string; inUse: number }[] }[];
}

async function held(): Promise<string[]> {
  const { stdout, output } = await gemba('status', '--json');
  try {
    return (JSON.parse(stdout) as Status).pools[0]!.leases.map(({ key }) => key);
  } catch {
    throw new Error(output);
  }
}

async function until(isSo: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 40; tries++) {
    if (await isSo()) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error('it did not come to that');
}

it('a Python script gets the lease in its environment, and gemba ends with its exit code', async () => {
  const { exitCode, stdout, output } = await gemba('run', '--need', 'role=admin', '--', 'python3', 'ask.py');
  expect(exitCode, output).toBe(7);
  expect(JSON.parse(stdout)).toEqual({
    status: 200,
    ours: {
      GEMBA_URL: server.url,
      GEMBA_KEY: KEYS[0],
      GEMBA_KEY_NAME: 'ada',
      GEMBA_FIELD_USER_NAME: 'ada@example.test',
      GEMBA_HEADER_AUTHORIZATION: `Bearer ${KEYS[0]}`,
      GEMBA_HEADER_X_TENANT: 'qa',
    },
  });
});

it('a shell pipeline runs with it; what it leaves behind holds nothing', async () => {
  const line = 'printf "%s\\n" "$GEMBA_KEY_NAME" | tr a-z A-Z; (sleep 3 >/dev/null 2>&1 &)';
  const { exitCode, stdout } = await gemba('run', '--endpoint', 'eu', '--', 'sh', '-c', line);
  expect([exitCode, ['ADA', 'BEN'].includes(stdout.trim())]).toEqual([0, true]);
  expect(await held()).toEqual([]);
});

it('signals reach the command, and its end by a signal is told as shells do', async () => {
  const trapping = await started(
    '--',
    'sh',
    '-c',
    'trap "exit 9" TERM; echo up; while :; do sleep 0.05; done',
  );
  trapping.child.kill('SIGTERM');
  expect(await once(trapping.child, 'exit')).toEqual([9, null]);
  const { exitCode } = await gemba('run', '--', 'sh', '-c', 'kill -KILL $$');
  expect(exitCode).toBe(137);
});

it('what cannot be run or leased is an error', async () => {
  expect((await gemba('run', '--', 'no-such-command')).exitCode).toBe(127);
  const results = await Promise.all([
    gemba('run'),
    gemba('run', '--need', 'role', '--', 'ls'),
    gemba('run', '--endpoint', 'us', '--', 'ls'),
    gemba('run', '--need', 'role=cook', '--', 'ls'),
  ]);
  expect(results.map(({ exitCode }) => exitCode)).toEqual([2, 2, 2, 2]);
  expect(results.map(({ stderr }) => stderr).join('')).toMatch(
    /needs a command[^]*needs LABEL=VALUE[^]*no endpoint "us"[^]*carries these labels/,
  );
});

it('where gemba alone is killed, the member stays held while its command lives', async () => {
  const { child, line } = await started('--need', 'role=admin', '--', 'sh', '-c', 'echo $$; exec sleep 60');
  const pid = Number(line);
  child.kill('SIGKILL');
  await once(child, 'exit');
  expect(await held()).toEqual(['ada']);
  const other = await gemba('run', '--', 'sh', '-c', 'echo $GEMBA_KEY_NAME');
  expect(other.stdout.trim()).toBe('ben');
  process.kill(pid, 'SIGKILL');
  await until(async () => (await held()).length === 0);
});
