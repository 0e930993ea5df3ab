import { type ChildProcess, spawn } from 'node:child_process';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { stripVTControlCharacters } from 'node:util';
import { chromium, type LaunchOptions, type Page } from '@playwright/test';
import { WebSocket } from 'undici';
import { MISSING_MS, until } from './patience.ts';

/** Playwright as someone uses it who runs tests again and again: in a terminal, or from an editor. */
export interface Interactive {
  /** Starts a run; settles when it has ended. */
  run: () => Promise<void>;
  /** All that its terminal has shown. */
  output: () => string;
  end: () => Promise<void>;
}

const PROMPT = /Waiting for file changes/g;

/** `PWTEST_WATCH=1 playwright test` in a terminal of its own. */
export async function startWatchMode(folder: string, env: Record<string, string> = {}): Promise<Interactive> {
  const cli = path.join(folder, 'node_modules/@playwright/test/cli.js');
  const child = spawn('script', ['-qfec', `"${process.execPath}" "${cli}" test`, '/dev/null'], {
    cwd: folder,
    env: environment({ ...env, PWTEST_WATCH: '1', TERM: 'xterm' }),
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const output = listen(child);
  const prompts = (): number => output().match(PROMPT)?.length ?? 0;
  await until('the first prompt', () => prompts() > 0);
  return {
    run: async () => {
      const before = prompts();
      const runs = (): number => output().match(/npx playwright test #\d/g)?.length ?? 0;
      const earlier = runs();
      // A key that is pressed between the prompt and its reading is lost.
      while (runs() === earlier) {
        child.stdin.write('\r');
        for (let tries = 0; tries < 40 && runs() === earlier; tries++) await sleep(50);
      }
      await until('the prompt after a run', () => prompts() > before);
    },
    output,
    end: async () => {
      child.stdin.write('q');
      await ended(child);
    },
  };
}

/** `playwright test-server`, driven over its socket as editors do. */
export async function startTestServer(
  folder: string,
  env: Record<string, string> = {},
): Promise<Interactive> {
  const cli = path.join(folder, 'node_modules/@playwright/test/cli.js');
  const child = spawn(process.execPath, [cli, 'test-server', '--host', '127.0.0.1', '--port', '0'], {
    cwd: folder,
    env: environment(env),
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const output = listen(child);
  await until('it listens', () => /ws:\S+/.test(output()));
  const socket = new WebSocket(/ws:\S+/.exec(output())![0]);
  await new Promise((resolve, reject) => {
    socket.addEventListener('open', resolve);
    socket.addEventListener('error', reject);
  });
  const open = new Map<number, (message: { error?: unknown }) => void>();
  socket.addEventListener('message', ({ data }) => {
    const message = JSON.parse(String(data)) as { id?: number; error?: unknown };
    if (message.id !== undefined) open.get(message.id)?.(message);
  });
  let last = 0;
  const call = async (method: string, params: object): Promise<void> => {
    const id = ++last;
    socket.send(JSON.stringify({ id, method, params }));
    const { error } = await new Promise<{ error?: unknown }>((resolve) => open.set(id, resolve));
    if (error !== undefined) throw new Error(`${method}: ${JSON.stringify(error)}`);
  };
  await call('initialize', { closeOnDisconnect: true, interceptStdio: false });
  await call('runGlobalSetup', {});
  return {
    run: () => call('runTests', { locations: [], trace: 'off' }),
    output,
    end: async () => {
      socket.close();
      await ended(child);
    },
  };
}

export interface UiMode extends Interactive {
  /** What it says of the last run, such as `2/2 passed (100%)` or `2/2 (100%) — 2 passed`. */
  status: () => Promise<string>;
}

/** `playwright test --ui-port`, in a browser of its own. */
export async function startUiMode(
  folder: string,
  launch: LaunchOptions,
  env: Record<string, string> = {},
): Promise<UiMode> {
  const cli = path.join(folder, 'node_modules/@playwright/test/cli.js');
  const args = [cli, 'test', '--ui-host=127.0.0.1', '--ui-port=0'];
  const stdio: ['pipe', 'pipe', 'pipe'] = ['pipe', 'pipe', 'pipe'];
  const child = spawn(process.execPath, args, { cwd: folder, env: environment(env), stdio });
  const output = listen(child);
  await until('it listens', () => /http:\S+/.test(output()));
  const browser = await chromium.launch(launch);
  const page = await browser.newPage();
  page.setDefaultTimeout(MISSING_MS);
  const endedRuns = countRuns(page);
  await page.goto(/http:\S+/.exec(output())![0]);
  await page.getByRole('treeitem').first().waitFor();
  return {
    run: async () => {
      const before = endedRuns();
      await page.getByTitle(/^Run all/).click();
      await until('the run ends', () => endedRuns() > before);
    },
    status: () => page.getByTestId('status-line').innerText(),
    output,
    end: async () => {
      await browser.close();
      child.kill('SIGTERM');
      await ended(child);
    },
  };
}

/** Counts the runs of a page of UI mode that have ended, by what goes over its socket. */
function countRuns(page: Page): () => number {
  const open = new Set<number>();
  let ended = 0;
  page.on('websocket', (socket) => {
    socket.on('framesent', ({ payload }) => {
      const { id, method } = JSON.parse(String(payload)) as { id: number; method: string };
      if (method === 'runTests') open.add(id);
    });
    socket.on('framereceived', ({ payload }) => {
      const { id } = JSON.parse(String(payload)) as { id?: number };
      if (id !== undefined && open.delete(id)) ended++;
    });
  });
  return () => ended;
}

function listen(child: ChildProcess): () => string {
  let text = '';
  for (const stream of [child.stdout!, child.stderr!]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      text += stripVTControlCharacters(chunk).replaceAll('\r\n', '\n');
    });
  }
  return () => text;
}

async function ended(child: ChildProcess): Promise<void> {
  const kill = setTimeout(() => child.kill('SIGKILL'), 10_000);
  if (child.exitCode === null && child.signalCode === null)
    await new Promise((resolve) => child.once('exit', resolve));
  clearTimeout(kill);
}

function environment(own: Record<string, string>): NodeJS.ProcessEnv {
  const { PATH, HOME, TMPDIR } = process.env;
  return { PATH, HOME, TMPDIR, ...own };
}
