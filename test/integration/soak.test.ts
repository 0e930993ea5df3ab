import { execFile } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, inject, it } from 'vitest';

const SCRIPT = fileURLToPath(new URL('../../bench/soak.mjs', import.meta.url));

interface Verdict {
  readonly leases: number;
  readonly refused: number;
  readonly overlaps: number;
  readonly workersKilled: number;
  readonly brokersKilled: number;
  readonly redisKilled?: number;
  readonly problems: readonly string[];
}

describe.concurrent('leases under fire', () => {
  it('hold on one machine, while workers and its broker are killed and stand still', async ({ expect }) => {
    const verdict = await soak('--seconds', '3', '--longest', '1');
    expect(verdict).toMatchObject({ problems: [], overlaps: 0, refused: 0 });
    expect(verdict.leases).toBeGreaterThan(100);
    expect(verdict.workersKilled * verdict.brokersKilled).toBeGreaterThan(0);
  });

  it('hold over two machines, while their shared server is killed, emptied and cut off, too', async ({
    expect,
  }) => {
    const verdict = await soak('--redis', '--seconds', '5', '--longest', '2');
    expect(verdict).toMatchObject({ problems: [], overlaps: 0, refused: 0 });
    expect(verdict.leases).toBeGreaterThan(50);
    expect(verdict.redisKilled).toBeGreaterThan(0);
  });
});

/** A short soak of the installed package; its chances follow from the seed, its times do not. */
async function soak(...how: string[]): Promise<Verdict> {
  const dist = path.join(inject('installedProject'), 'node_modules/gemba-agent/dist');
  const args = [SCRIPT, '--json', '--seed', 'test', '--dist', dist, ...how];
  const { stdout } = await promisify(execFile)(process.execPath, args).catch(
    (error: { stdout?: string }) => ({ stdout: error.stdout ?? '' }),
  );
  return JSON.parse(stdout) as Verdict;
}
