import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import os from 'node:os';
import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { brokersWith } from '../harness/clients.ts';
import { startRedis, type TestRedis } from '../harness/redis.ts';
import { createInlineProject, type Finished, type InlineProject } from '../harness/run-inline-test.ts';

const CLI = 'node_modules/gemba-agent/dist/cli.cjs';
const FOR = ['--for', '2h', '--reason', 'Ana debugs the checkout'];
const KEYS = ['ada', 'ben'].map((name) => ({ name, value: `secret-value-of-${name}`, maxConcurrent: 1 }));

interface Status {
  pools: {
    leases: { holder: string; key: string; machine: string; pid: number | null }[];
    members: { name: string; state: string; why: string | null; until: string | null }[];
  }[];
}

/** A folder with a configuration and a broker of its own: over Redis as good as a machine. */
class Machine {
  readonly project: InlineProject;
  readonly #running: ChildProcess[] = [];

  private constructor(project: InlineProject) {
    this.project = project;
  }

  static async start(store: string): Promise<Machine> {
    const accounts = { keys: KEYS, acquireTimeout: '20s', leaseTtl: '5s' };
    const config = { name: 'shop', store, pools: { accounts } };
    return new Machine(await createInlineProject({ 'gemba.config.json': JSON.stringify(config) }));
  }

  gemba(...args: readonly string[]): Promise<Finished> {
    return this.project.node([CLI, ...args], { timeoutMs: 60_000 });
  }

  /** A command that holds a lease until it is killed; the name of its key. */
  async hold(): Promise<string> {
    const command = ['run', '--', 'sh', '-c', 'echo $GEMBA_KEY_NAME; exec sleep 600'];
    const child = spawn(process.execPath, [CLI, ...command], {
      cwd: this.project.folder,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.#running.push(child);
    const [chunk] = (await once(child.stdout, 'data')) as [Buffer];
    return chunk.toString().trim();
  }

  async stop(): Promise<void> {
    const ended = this.#running.splice(0).map(async (child) => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exit = once(child, 'exit');
      child.kill('SIGTERM');
      await exit;
    });
    await Promise.all(ended);
  }

  async states(): Promise<Record<string, string>> {
    const { stdout, output } = await this.gemba('status', '--json');
    expect(output).not.toMatch(/secret-value/);
    const { members } = (JSON.parse(stdout) as Status).pools[0]!;
    return Object.fromEntries(
      members.map(({ name, state, why }) => [name, why ? `${state}: ${why}` : state]),
    );
  }

  /** What `gemba status` says is held, once it says that something is. */
  async leases(): Promise<readonly { holder: string; key: string; machine: string; pid: number | null }[]> {
    for (;;) {
      const { stdout } = await this.gemba('status', '--json');
      const { leases } = (JSON.parse(stdout) as Status).pools[0]!;
      // One that has just begun has not said who it is.
      if (leases.some(({ machine }) => machine !== 'unknown')) return leases;
    }
  }

  get broker(): number {
    return brokersWith(path.join(this.project.folder, 'gemba.config.json'))[0]!;
  }

  async close(): Promise<void> {
    await this.stop();
    await this.project.cleanup();
  }
}

describe('gemba reserve', () => {
  const open: { close: () => Promise<void> }[] = [];

  afterEach(async () => {
    for (const each of open.splice(0).toReversed()) await each.close();
  });

  async function machine(store = 'local'): Promise<Machine> {
    const started = await Machine.start(store);
    open.push(started);
    return started;
  }

  it('takes members at once or when their lease ends, over restarts, until they are enabled', async () => {
    const one = await machine();
    const held = await one.hold();
    const free = held === 'ada' ? 'ben' : 'ada';
    const both = [`accounts/${held}`, `accounts/${free}`];
    const reserved = await one.gemba('reserve', ...both, ...FOR);
    expect(reserved).toMatchObject({ exitCode: 0, stderr: '' });
    expect(reserved.stdout).toMatch(/^accounts\/\w+ is reserved until .*UTC \(in 2 h\): Ana debugs/m);
    expect(reserved.stdout).toContain(
      `It is free now. To give it back earlier: gemba enable accounts/${free}`,
    );
    expect(reserved.stdout).toMatch(/".*sleep 600.*" holds it now, and may use it to the end/);
    const why = 'reserved: Ana debugs the checkout';
    expect(await one.states()).toEqual({ ada: why, ben: why });

    const refused = await one.gemba('run', '--', 'true');
    expect(refused.exitCode).not.toBe(0);
    expect(refused.output).toMatch(/reserved until 20\d\d-.*Z: Ana debugs the checkout/);
    await one.stop();
    expect((await one.gemba('run', '--', 'true')).output).toContain('Ana debugs the checkout');

    process.kill(one.broker, 'SIGKILL');
    expect(await one.states()).toEqual({ ada: why, ben: why });
    const given = await one.gemba('enable', ...both, '--json');
    const members = KEYS.map(({ name }) => ({
      pool: 'accounts',
      name,
      before: 'reserved',
      state: 'healthy',
    }));
    expect(JSON.parse(given.stdout)).toMatchObject({ schema: 'gemba-members/1', action: 'enable', ok: true });
    expect((JSON.parse(given.stdout) as { members: unknown[] }).members).toEqual(
      expect.arrayContaining(members.map((member) => expect.objectContaining(member) as unknown)),
    );
    expect((await one.gemba('run', '--', 'true')).exitCode).toBe(0);
    const unknown = await one.gemba('reserve', 'accounts/ada', 'accounts/eve', ...FOR);
    expect(unknown).toMatchObject({ exitCode: 2 });
    expect(await one.states()).toEqual({ ada: 'healthy', ben: 'healthy' });
  });

  it('is obeyed on every machine that shares a Redis, and ends by its time', async () => {
    const redis: TestRedis = await startRedis();
    open.push(redis);
    const [here, there] = [await machine(redis.url), await machine(redis.url)];
    const held = await there.hold();
    const found = await here.leases();
    expect(found).toMatchObject([{ key: held, machine: os.hostname(), pid: expect.any(Number) as number }]);
    expect(found[0]!.holder).toContain('sleep 600');
    const shown = await here.gemba('status');
    expect(shown.stdout).toMatch(new RegExp(`${held} +\\d.*UTC +\\d+ on .* +.*sleep 600`));
    expect(shown.stdout).not.toContain('Nothing is held');
    const free = held === 'ada' ? 'ben' : 'ada';
    expect((await here.gemba('reserve', `accounts/${free}`, `accounts/${held}`, ...FOR)).exitCode).toBe(0);
    const refused = await there.gemba('run', '--', 'true');
    expect(refused.output).toMatch(/reserved until 20\d\d-.*Z: Ana debugs the checkout/);
    expect(refused.exitCode).not.toBe(0);
    // A broker that begins anew learns it from the store. What its holder claimed is held as long as the claim lasts.
    const holding = (await here.leases())[0]!.pid;
    process.kill(there.broker, 'SIGKILL');
    expect((await here.leases())[0]).toMatchObject({ key: held });
    await there.stop();
    expect(holding).toEqual(expect.any(Number));
    expect(await there.states()).toMatchObject({ [held]: 'reserved: Ana debugs the checkout' });
    expect((await there.gemba('enable', `accounts/${held}`)).stdout).toContain('is no longer reserved');
    const lease = await here.gemba('run', '--', 'sh', '-c', 'echo got $GEMBA_KEY_NAME');
    expect(lease.stdout, lease.output).toContain(`got ${held}`);
    const brief = ['--for', '1s', '--reason', 'only a moment'];
    expect((await there.gemba('reserve', `accounts/${free}`, `accounts/${held}`, ...brief)).exitCode).toBe(0);
    expect((await here.gemba('run', '--', 'true')).exitCode).toBe(0);
  });
});
