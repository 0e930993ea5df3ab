import { appendFileSync } from 'node:fs';
import path from 'node:path';
import type {
  FullConfig,
  FullResult,
  Reporter,
  Suite,
  TestCase,
  TestResult,
} from '@playwright/test/reporter';
import { aggregate } from './aggregate.ts';
import { collectResult, collectTests, type Origin } from './collect.ts';
import { type Collected, emptyCollected } from './collected.ts';
import { beginLive, type LiveReporter } from './live/begin.ts';
import type { Report } from './model.ts';
import { openFile } from './open.ts';
import {
  type GembaReporterOptions,
  packageVersion,
  resolveSettings,
  type RunnerOptions,
  type Settings,
} from './options.ts';
import { summaryText } from './summary.ts';
import { reportText, writeWhole } from './write.ts';

export type { GembaReporterOptions } from './options.ts';
export type { Report } from './model.ts';

/**
 * Playwright reporter: what the tests' calls met, whose failure each failed test is, and a page that shows it.
 *
 * No hook of it ever throws: Playwright would fail the run for it.
 */
export default class GembaReporter implements Reporter {
  private readonly settings: Settings;
  private readonly collected: Collected = emptyCollected();
  private config: FullConfig | null = null;
  private suite: Suite | null = null;
  private readonly warned = new Set<string>();
  private live: LiveReporter | null = null;

  constructor(options: GembaReporterOptions & RunnerOptions = {}) {
    this.settings = resolveSettings(options, process.env, process.cwd());
  }

  printsToStdio(): boolean {
    return false;
  }

  onBegin(config: FullConfig, suite: Suite): void {
    this.config = config;
    this.suite = suite;
    const { settings, collected } = this;
    this.guard('open the live page', () => {
      this.live = beginLive(settings, { collected, config, suite }, { print, warn });
    });
  }

  onTestBegin(test: TestCase, result: TestResult): void {
    this.guard('show a test', () => this.live?.testBegan(test, result));
  }

  onTestEnd(test: TestCase, result: TestResult): void {
    if (this.settings.mode === 'list') return;
    this.guard('read a result', () => collectResult(this.collected, test, result, this.origin()));
    this.guard('show a result', () => this.live?.testEnded(test, result));
  }

  async onEnd(result: FullResult): Promise<{ status?: FullResult['status'] } | undefined> {
    if (this.settings.mode === 'list') return undefined;
    const report = this.guard('make the report', () => this.report(result));
    await this.guardAsync('end the live page', async () => this.live?.end());
    if (!report) return undefined;
    const { count, first } = this.collected.badRecords;
    if (count > 0) warn(`${count} of the workers’ records could not be read and are left out (${first})`);
    const written = await this.write(report);
    this.guard('print the summary', () => print(summaryText(report, written)));
    this.guard('open the report', () => this.open(report, written));
    return result.status === 'passed' && report.run.gate?.failed ? { status: 'failed' } : undefined;
  }

  private report(result: FullResult): Report {
    const tests = collectTests(this.collected, this.suite?.allTests() ?? [], this.origin());
    return aggregate(this.collected, tests, {
      status: result.status,
      startedAt: result.startTime.getTime(),
      durationMs: result.duration,
      playwright: this.config?.version ?? '',
      version: packageVersion(),
      shard: this.config?.shard ?? null,
    });
  }

  private origin(): Origin {
    const merging = this.settings.mode === 'merge';
    const shard = this.config?.shard?.current ?? (merging ? null : 1);
    return { rootDir: this.config?.rootDir ?? '', shard, merging };
  }

  /** The page's path as the user would type it, or null where it could not be written. */
  private async write(report: Report): Promise<string | null> {
    const { folder, title, stepSummaryFile } = this.settings;
    const page = path.join(folder, 'index.html');
    await this.guardAsync('write report.json', () =>
      writeWhole(path.join(folder, 'report.json'), reportText(report)),
    );
    const done = await this.guardAsync('write index.html', async () => {
      const [{ dashboardView }, { renderDashboard }] = await Promise.all([
        import('./view.ts'),
        import('./render.ts'),
      ]);
      await writeWhole(page, await renderDashboard(dashboardView(report, title)));
      return true;
    });
    if (stepSummaryFile !== null) {
      await this.guardAsync('write the step summary', async () => {
        const { stepSummary } = await import('./step-summary.ts');
        appendFileSync(stepSummaryFile, stepSummary(report, title));
      });
    }
    return done ? path.relative(process.cwd(), page) || page : null;
  }

  private open(report: Report, page: string | null): void {
    const { open, interactive } = this.settings;
    const wanted = open === 'always' || (open === 'on-failure' && report.run.status !== 'passed');
    if (page === null || !wanted || !interactive) return;
    openFile(path.resolve(page), (why) => warn(`could not open the report: ${why}`));
  }

  private guard<T>(what: string, action: () => T): T | undefined {
    try {
      return action();
    } catch (error) {
      this.warnOnce(what, error);
      return undefined;
    }
  }

  private async guardAsync<T>(what: string, action: () => Promise<T>): Promise<T | undefined> {
    try {
      return await action();
    } catch (error) {
      this.warnOnce(what, error);
      return undefined;
    }
  }

  /** One line for each kind of trouble, however often it comes. */
  private warnOnce(what: string, error: unknown): void {
    if (this.warned.has(what)) return;
    this.warned.add(what);
    warn(`could not ${what}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function warn(line: string): void {
  process.stderr.write(`gemba-agent reporter: ${line.replaceAll(/\s+/g, ' ')}\n`);
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}
