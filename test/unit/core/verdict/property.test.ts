import { beforeAll, describe, expect, it } from 'vitest';
import type { Verdict } from '../../../../src/core/types.ts';
import { follow, judgeRun } from './model/judged.ts';
import { drawSuite, runSuite } from './model/suite.ts';
import { type Claim, claimOf } from './model/truth.ts';
import { dice, drawWorld, shuffled } from './model/world.ts';

/** `VERDICT_RUNS=10000 npx vitest run --project unit test/unit/core/verdict/property.test.ts` prints the table of docs/benchmarks.md. */
const RUNS = Number(process.env['VERDICT_RUNS'] ?? 250);
const FORBIDDEN: Partial<Record<Claim, readonly Verdict[]>> = {
  product: ['environment', 'unknown'],
  'not environment': ['environment'],
  environment: ['product', 'unknown'],
};

type Table = Map<Claim, Record<Verdict, number>>;

function count(table: Table, claim: Claim, verdict: Verdict): void {
  const row = table.get(claim) ?? { product: 0, environment: 0, unknown: 0 };
  row[verdict]++;
  table.set(claim, row);
}

interface Wrong {
  readonly run: number;
  readonly claim: Claim;
  readonly found: string;
  readonly requests: string;
}

describe('verdicts of drawn runs', () => {
  const report: Table = new Map();
  const annotations: Table = new Map();
  const wrong: Wrong[] = [];
  const unstable: number[] = [];
  let tests = 0;

  beforeAll(() => {
    for (let run = 0; run < RUNS; run++) {
      const random = dice(`verdicts ${run}`);
      const world = drawWorld(random);
      const suite = drawSuite(random);
      // The same suite, in another order and over another number of workers.
      for (const [workers, order] of [
        [1, suite],
        [1 + Math.floor(random() * 8), shuffled(random, suite)],
      ] as const) {
        const attempts = runSuite(world, order, workers, random);
        const seen = follow(world, attempts, random);
        const findings = judgeRun(seen);
        for (const [index, finding] of findings.entries()) {
          if (!finding) continue;
          tests++;
          const claim = claimOf(world, attempts, attempts[index]!);
          count(report, claim, finding.verdict);
          count(annotations, claim, seen[index]!.annotated!.verdict);
          if (!FORBIDDEN[claim]?.includes(finding.verdict)) continue;
          const requests = attempts[index]!.requests.map(
            ({ asked, endpoint, key, reply, cause }) =>
              `${asked.route} at ${endpoint} with ${key}: ${reply} (${cause})`,
          );
          const found = `${finding.verdict}: ${finding.reason}`;
          wrong.push({ run, claim, found, requests: requests.join('; ') });
        }
        // Shards, merged in any order: what the judge is told, and when, changes nothing.
        const merged = judgeRun(seen, shuffled(random, seen));
        if (JSON.stringify(merged) !== JSON.stringify(findings)) unstable.push(run);
      }
    }
  }, 600_000);

  it('are never the environment’s for what the product broke, nor the product’s for what can be known to be the environment’s', () => {
    if (process.env['VERDICT_RUNS'] !== undefined) {
      console.table(Object.fromEntries(report));
      console.table(Object.fromEntries(annotations));
    }
    expect(tests).toBeGreaterThan(RUNS);
    expect(wrong.slice(0, 8)).toEqual([]);
  });

  it('do not depend on the order in which the shards of a run are merged', () => {
    expect(unstable).toEqual([]);
  });
});
