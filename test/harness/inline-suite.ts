import { afterAll, beforeAll, expect, it } from 'vitest';
import { type InlineOptions, type InlineResult, runInlineTest } from './run-inline-test.ts';
import type { GembaReport } from './report.ts';

type ReportTest = GembaReport['tests'][number];

export interface SuiteSetup extends InlineOptions {
  /** Files of the project beside the scenarios' specs. */
  files: Record<string, string>;
  cleanup?: () => Promise<unknown>;
}

/** What one scenario's part of the run came to. */
export interface ScenarioRun {
  result: InlineResult;
  report: GembaReport;
  /** The tests of the scenario, in their order. */
  tests: readonly ReportTest[];
}

type Check = (run: ScenarioRun) => void | Promise<void>;

export interface InlineSuite {
  /**
   * A vitest test of these Playwright tests: each must end as it should, and `check` hold. `spec` is the source of a
   * spec file, for which `test`, `expect` and the suite's `head` are in scope.
   */
  scenario: (title: string, spec: string, check?: Check) => void;
}

/**
 * Scenarios that share one run of Playwright, each with its spec beside its checks. `head` is source text that opens
 * every spec file. `setUp` runs before the run, once the scenarios are known.
 *
 * @example
 * const { scenario } = inlineSuite({ setUp: async () => ({ files: { 'gemba.config.json': config } }) });
 * scenario('a request gets the key', `
 *   test('asks', async ({ request }) => { expect(await request.get('/')).toBeOK(); });
 * `, ({ tests }) => expect(tests[0]!.results[0]!.leases).toHaveLength(1));
 */
export function inlineSuite({
  setUp,
  head = `import { test, expect } from 'gemba-agent';`,
}: {
  setUp: () => Promise<SuiteSetup>;
  head?: string;
}): InlineSuite {
  const specs: Record<string, string> = {};
  let setup: SuiteSetup;
  let result: InlineResult | undefined;

  beforeAll(async () => {
    setup = await setUp();
    result = await runInlineTest({ ...specs, ...setup.files }, setup);
  });
  afterAll(async () => {
    await setup.cleanup?.();
    await result?.cleanup();
  });

  const scenario = (title: string, spec: string, check?: Check): void => {
    const file = `${String(Object.keys(specs).length + 1).padStart(3, '0')}.spec.ts`;
    specs[file] = `${head}\n${spec}`;
    it(title, async () => {
      if (!result?.report) throw new Error(`no report:\n${result?.output}`);
      const tests = result.report.tests.filter((test) => test.file === file);
      expect(tests.length, result.output).toBeGreaterThan(0);
      const wrong = tests.filter(({ status }) => status === 'unexpected' || status === 'flaky');
      expect(
        wrong.map((test) => test.title),
        wrong.length > 0 ? result.output : '',
      ).toEqual([]);
      await check?.({ result, report: result.report, tests });
    });
  };
  return { scenario };
}
