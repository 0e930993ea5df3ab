import { appendFileSync, existsSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { save } from '../harness/config-client.ts';
import { type Interactive, startTestServer, startWatchMode } from '../harness/interactive.ts';
import { until } from '../harness/patience.ts';
import type { GembaReport } from '../harness/report.ts';
import { createInlineProject, type InlineProject } from '../harness/run-inline-test.ts';

/** Each worker takes leases until it is told to stop, and notes each. */
const SPEC = `
  import { appendFileSync, existsSync } from 'node:fs';
  import { test } from 'gemba-agent';
  for (const which of ['left', 'right']) {
    test(which, async ({ gemba }, { workerIndex }) => {
      test.setTimeout(60_000);
      do {
        await using lease = await gemba.lease();
        const from = Date.now();
        await new Promise((resolve) => setTimeout(resolve, 25));
        const line = { worker: which + workerIndex, key: lease.key.name, from, to: Date.now() };
        appendFileSync('leases.log', JSON.stringify(line) + '\\n');
      } while (!existsSync('stop'));
    });
  }
`;

interface Line {
  readonly worker: string;
  readonly key: string;
  readonly from: number;
  readonly to: number;
}

interface Key {
  readonly name: string;
  readonly maxConcurrent: number;
  readonly enabled?: boolean;
}

function configOf(...keys: readonly Key[]): string {
  const entries = keys.map((key) => `    ${JSON.stringify({ ...key, value: `value-of-${key.name}` })}`);
  return `{\n  "pools": { "api": { "keys": [\n${entries.join(',\n')}\n  ] } }\n}\n`;
}

const one = { name: 'one', maxConcurrent: 4 };
const two = { name: 'two', maxConcurrent: 4 };
const three = { name: 'three', maxConcurrent: 4 };
/** What a save takes to count, at the most. */
const WITHIN_MS = 1_000;

describe('an edit in', () => {
  let project: InlineProject;
  let driver: Interactive | undefined;

  afterEach(async () => {
    writeStop(true);
    await driver?.end();
    driver = undefined;
    await project.cleanup();
  });

  const file = (name: string): string => path.join(project.folder, name);
  const lines = (): Line[] => {
    if (!existsSync(file('leases.log'))) return [];
    const text = readFileSync(file('leases.log'), 'utf8').trim();
    return text === '' ? [] : text.split('\n').map((line) => JSON.parse(line) as Line);
  };
  const since = (time: number): Line[] => lines().filter(({ from }) => from >= time);
  const keysSince = (time: number): string[] => [...new Set(since(time).map(({ key }) => key))].sort();
  const report = (): GembaReport & {
    run: { revisions: { changes: { path: string }[]; errors: string[] }[] };
  } => JSON.parse(readFileSync(file('gemba-report/report.json'), 'utf8')) as never;

  function writeStop(isStopped: boolean): void {
    if (isStopped) appendFileSync(file('stop'), '');
    else rmSync(file('stop'), { force: true });
  }

  /** Saves, and waits until all workers have leased a while after what an edit may take. */
  async function edit(...keys: readonly Key[]): Promise<{ counts: number }> {
    save(file('gemba.config.json'), configOf(...keys));
    const counts = Date.now() + WITHIN_MS;
    await until(
      'both workers leased since',
      () => new Set(since(counts).map(({ worker }) => worker)).size === 2,
    );
    await sleep(150);
    return { counts };
  }

  /** A run that goes on until it is stopped. */
  function longRun(): { end: () => Promise<void> } {
    writeStop(false);
    const from = lines().length;
    const running = driver!.run();
    return {
      end: async () => {
        await until('it began', () => lines().length > from + 4);
        writeStop(true);
        await running;
      },
    };
  }

  async function shortRun(): Promise<number> {
    const from = Date.now();
    writeStop(true);
    await driver!.run();
    return from;
  }

  async function scenario(start: (folder: string) => Promise<Interactive>): Promise<void> {
    const config = `{ workers: 2, fullyParallel: true, retries: 2, reporter: [['line'], ['gemba-agent/reporter']] }`;
    project = await createInlineProject({ 'a.spec.ts': SPEC, 'gemba.config.json': configOf(one) }, config);
    driver = await start(project.folder);

    // During a run: a key is added, one is disabled, a limit is lowered.
    const run = longRun();
    await until('both lease', () => new Set(lines().map(({ worker }) => worker)).size === 2);
    expect(keysSince(0)).toEqual(['one']);
    expect(keysSince((await edit(one, two)).counts)).toEqual(['one', 'two']);
    expect(keysSince((await edit({ ...one, enabled: false }, two)).counts)).toEqual(['two']);
    const { counts } = await edit({ ...one, enabled: false }, { ...two, maxConcurrent: 1 });
    const alone = since(counts).sort((a, b) => a.from - b.from);
    expect(alone.length).toBeGreaterThan(2);
    for (const [index, line] of alone.slice(1).entries())
      expect(line.from).toBeGreaterThanOrEqual(alone[index]!.to - 2);
    await run.end();
    await until('the edits are told', () =>
      driver!.output().includes('pools.api.keys.two.maxConcurrent: 4 → 1'),
    );
    expect(driver.output()).toMatch(/revision \w{12} is in force:\n {2}pools\.api\.keys\.two added\n/);
    expect(driver.output()).toMatch(/ {2}pools\.api\.keys\.one\.enabled: true → false\n/);
    const edits = report().run.revisions.map(({ changes }) => changes.map(({ path: field }) => field));
    expect(edits).toEqual([
      [],
      ['pools.api.keys.two'],
      ['pools.api.keys.one.enabled'],
      ['pools.api.keys.two.maxConcurrent'],
    ]);

    // Between runs: the next one begins with it.
    save(file('gemba.config.json'), configOf(three));
    await until('it is told', () => driver!.output().includes('pools.api.keys.three added'));
    expect(keysSince(await shortRun())).toEqual(['three']);

    // A bad save: told once, the last good revision serves, in a run that begins then too; then it is well again.
    const good = report().run.configRevision;
    save(file('gemba.config.json'), configOf({ ...two, maxConcurrent: 0 }));
    const problem = 'pools.api.keys[0].maxConcurrent: must be an integer of 1 or more; found 0';
    await until('the refusal is told', () => driver!.output().includes(problem));
    expect(keysSince(await shortRun())).toEqual(['three']);
    expect(report().run).toMatchObject({
      configRevision: good,
      configErrors: [`${file('gemba.config.json')}:3:35  ${problem}`],
    });
    const status = await project.node(['node_modules/gemba-agent/dist/cli.cjs', 'status']);
    expect(status.stdout).toContain(`Revision ${good} is in force; since `);
    expect(status.stdout).toContain(problem);
    save(file('gemba.config.json'), configOf(two));
    await until('the recovery is told', () => /pools\.api\.keys\.three removed/.test(driver!.output()));
    expect(keysSince(await shortRun())).toEqual(['two']);
    expect(report().run.configErrors).toEqual([]);
    expect(driver.output().split(problem)).toHaveLength(2);
    expect(report().totals.failed).toBe(0);
    expect(driver.output()).not.toContain('value-of-');
  }

  it('watch mode in a terminal counts within a second, in a run and between runs', async () => {
    await scenario(startWatchMode);
  });

  it('a run without the reporter is told of a bad save once, by one of its workers', async () => {
    const config = `{ workers: 2, fullyParallel: true, reporter: [['line']] }`;
    project = await createInlineProject({ 'a.spec.ts': SPEC, 'gemba.config.json': configOf(one) }, config);
    const running = project.run();
    await until('both lease', () => new Set(lines().map(({ worker }) => worker)).size === 2);
    save(file('gemba.config.json'), configOf({ ...one, maxConcurrent: 0 }));
    await sleep(1_500);
    writeStop(true);
    const { output, exitCode } = await running;
    expect(output.split('must be an integer of 1 or more; found 0')).toHaveLength(2);
    expect(exitCode).toBe(0);
  });

  it('the test server of editors and of UI mode does, too', async () => {
    await scenario(startTestServer);
  });
});
