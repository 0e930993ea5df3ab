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
import { systemClock } from '../core/clock.ts';
import { plainLine } from '../shared/sanitize.ts';
import { aggregate } from './report/aggregate.ts';
import { collectResult, collectTests, type Origin, seeTest } from './collect/collect.ts';
import { type Collected, emptyCollected } from './collect/collected.ts';
import { keepHistory } from './history/history-file.ts';
import type { HistoryRun } from './history/history-run.ts';
import { Journal } from './collect/journal.ts';
import { beginLive, type LiveReporter } from './live/begin.ts';
import type { Report } from './report/model.ts';
import { type FollowedConfig, followConfig } from './live/follow.ts';
import { openFile } from './terminal/open.ts';
import {
  type GembaReporterOptions,
  packageVersion,
  resolveSettings,
  type RunnerOptions,
  type Settings,
} from './options.ts';
import { writeData, writePage } from './output.ts';
import { summaryText } from './terminal/summary.ts';

export type { GembaReporterOptions } from './options.ts';
export type { Report } from './report/model.ts';

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
  /** Undefined before the first test; null where there is none to write. */
  private journal: Journal | null | undefined;
  private startedAt = 0;
  private followed: FollowedConfig | null = null;
  private readonly warned = new Set<string>();
  private live: LiveReporter | null = null;

  constructor(options: GembaReporterOptions & RunnerOptions = {}) {
    this.settings = resolveSettings(options, process.env, process.cwd(), process.argv);
  }

  printsToStdio(): boolean {
    return false;
  }

  onBegin(config: FullConfig, suite: Suite): void {
    this.config = config;
    this.suite = suite;
    this.startedAt = systemClock();
    if (this.settings.mode === 'test') {
      this.guard('follow the configuration', () => {
        const { configDir } = this.settings;
        this.followed = followConfig(config, configDir, process.env);
      });
    }
    const { settings, collected } = this;
    this.guard('open the live page', () => {
      this.live = beginLive(settings, { collected, config, suite }, { print, warn });
    });
  }

  onTestBegin(test: TestCase, result: TestResult): void {
    this.guard('show a test', () => this.live?.testBegan(test, result));
    if (this.settings.mode !== 'test') return;
    const seen = this.guard('read a test', () => seeTest(this.collected, test, this.origin()));
    if (this.journal === undefined)
      this.journal = this.guard('write the journal', () => this.openJournal()) ?? null;
    if (seen)
      this.guard('write the journal', () => this.journal?.began(seen, result.retry, result.workerIndex));
  }

  onTestEnd(test: TestCase, result: TestResult): void {
    if (this.settings.mode === 'list') return;
    const taken = this.guard('read a result', () => {
      return collectResult(this.collected, test, result, this.origin());
    });
    if (taken)
      this.guard('write the journal', () => this.journal?.ended(taken.test, taken.result, taken.texts));
    this.guard('show a result', () => this.live?.testEnded(test, result));
  }

  async onEnd(result: FullResult): Promise<{ status?: FullResult['status'] } | undefined> {
    if (this.settings.mode === 'list') return undefined;
    for (const { changes, errors, ...state } of this.followed?.since(this.startedAt) ?? []) {
      const shown = changes.map(({ path: field, old, new: next }) => ({ path: field, old, new: next }));
      this.collected.configStates.add({ ...state, errors: [...errors], changes: shown });
    }
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

  private openJournal(): Journal {
    const { folder, title } = this.settings;
    return new Journal(folder, {
      startedAt: systemClock(),
      playwright: this.config?.version ?? '',
      title,
      planned: this.suite?.allTests().length ?? 0,
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
    const trends = await this.guardAsync('keep the history', () => this.trends(report));
    const data = await this.guardAsync('write report.json', async () => {
      await writeData(folder, report);
      return true;
    });
    const page = await this.guardAsync('write index.html', () =>
      writePage(folder, report, title, trends ?? []),
    );
    this.guard('remove the journal', () => this.journal?.close(data === true));
    this.journal = null;
    if (stepSummaryFile !== null) {
      await this.guardAsync('write the step summary', async () => {
        const { stepSummary } = await import('./terminal/step-summary.ts');
        appendFileSync(stepSummaryFile, stepSummary(report, title));
      });
    }
    return page === undefined ? null : path.relative(process.cwd(), page) || page;
  }

  private trends(report: Report): Promise<readonly HistoryRun[]> {
    const { history, historyFile, narrowed, mode } = this.settings;
    const scope = {
      narrowed,
      forbidOnly: this.config?.forbidOnly === true,
      oneShard: mode !== 'merge' && (this.config?.shard?.total ?? 1) > 1,
    };
    return keepHistory(historyFile, report, { keep: history, scope, warn });
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
  process.stderr.write(`gemba-agent reporter: ${plainLine(line)}\n`);
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}
