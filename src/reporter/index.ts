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
import { openSeal } from '../shared/seal.ts';
import { aggregate } from './report/aggregate.ts';
import { collectResult, collectTests, type RecordOrigin, findOrAddTest } from './collect/collect.ts';
import { type RunState, emptyRunState } from './collect/run-state.ts';
import { keepHistory } from './history/history-file.ts';
import type { RunHistory } from './history/history-run.ts';
import { byContent, bySeal, type JudgeRecord } from './collect/own-record.ts';
import { Journal } from './collect/journal.ts';
import { announce } from './announce/announce.ts';
import { isInside, linksOf, relativeLink } from './environment/links.ts';
import { NO_OTHERS, type OtherReporters, otherReporters } from './environment/other-reporters.ts';
import { placeOfRun } from './environment/place.ts';
import { beginLive, type LiveReporter } from './live/begin.ts';
import type { Report } from './report/model.ts';
import { type FollowedConfig, followConfig } from './live/follow-config.ts';
import { openFile } from './terminal/open.ts';
import {
  type GembaReporterOptions,
  packageVersion,
  resolveSettings,
  type RunnerOptions,
  type Settings,
} from './options.ts';
import { writeData, writePage } from './output.ts';
import { foreignText } from './page/view-notices.ts';
import { isWithoutConfig, RunRedactor } from './run-redactor.ts';
import { NO_CONFIG_HINT, summaryText } from './terminal/summary.ts';

export type { GembaReporterOptions } from './options.ts';
export type { Report } from './report/model.ts';

/**
 * The Playwright reporter. Each result comes with the record that its worker attached. `collect/` reads and counts it into
 * a `RunState`, and keeps a journal on disk for a run that is killed. At the end `report/` makes the data of report.json of it, with
 * the verdicts and causes of `judge/`; `history/` compares the run with earlier ones; `page/` renders index.html, `terminal/` the
 * summary, and `announce/` tells CI and chat services. `environment/` finds out where the run takes place. `live/` shows the report
 * while tests run.
 *
 * No hook throws: Playwright would fail the run for it.
 */
export default class GembaReporter implements Reporter {
  readonly #settings: Settings;
  readonly #runState: RunState = emptyRunState();
  readonly #judgeRecord: JudgeRecord;
  #config: FullConfig | null = null;
  #suite: Suite | null = null;
  #others: OtherReporters = NO_OTHERS;
  /** Undefined before the first test; null where it cannot be written. */
  #journal: Journal | null | undefined;
  #startedAt = 0;
  #followed: FollowedConfig | null = null;
  readonly #warned = new Set<string>();
  #live: LiveReporter | null = null;
  #redactor: RunRedactor | null = null;

  constructor(options: GembaReporterOptions & RunnerOptions = {}) {
    this.#settings = resolveSettings(options, process.env, process.cwd(), process.argv);
    // Before any worker is started.
    this.#judgeRecord =
      this.#settings.mode === 'merge' ? byContent(this.#runState) : bySeal(openSeal(process.env));
  }

  printsToStdio(): boolean {
    return false;
  }

  onBegin(config: FullConfig, suite: Suite): void {
    this.#config = config;
    this.#suite = suite;
    this.#startedAt = systemClock();
    const others = this.#guard('read the reporters', () => otherReporters(config.reporter, this.#settings));
    if (others) this.#others = others;
    const { mode, configDir } = this.#settings;
    const print = (line: string): void => this.#print(line);
    this.#guard('find the secrets', () => {
      this.#redactor = new RunRedactor(config, configDir, process.env);
    });
    if (mode === 'test') {
      this.#guard('follow the configuration', () => {
        this.#followed = followConfig(config, configDir, process.env, print);
      });
    }
    this.#guard('open the live page', () => {
      const redact = (text: string): string => this.#redact(text);
      const run = { runState: this.#runState, config, suite, redact };
      this.#live = beginLive(this.#settings, run, { print, warn });
    });
  }

  onTestBegin(test: TestCase, result: TestResult): void {
    this.#onceRedactable(() => this.#testBegan(test, result));
  }

  onTestEnd(test: TestCase, result: TestResult): void {
    this.#onceRedactable(() => this.#testEnded(test, result));
  }

  #testBegan(test: TestCase, result: TestResult): void {
    this.#guard('show a test', () => this.#live?.testBegan(test, result));
    if (this.#settings.mode !== 'test') return;
    const seen = this.#guard('read a test', () => findOrAddTest(this.#runState, test, this.#origin()));
    if (this.#journal === undefined)
      this.#journal = this.#guard('write the journal', () => this.#openJournal()) ?? null;
    if (seen)
      this.#guard('write the journal', () => this.#journal?.began(seen, result.retry, result.workerIndex));
  }

  #testEnded(test: TestCase, result: TestResult): void {
    if (this.#settings.mode === 'list') return;
    const attempt = this.#guard('read a result', () => {
      return collectResult(this.#runState, test, result, this.#origin());
    });
    if (attempt)
      this.#guard('write the journal', () =>
        this.#journal?.ended(attempt.test, attempt.result, attempt.text),
      );
    this.#guard('show a result', () => this.#live?.testEnded(test, result));
  }

  async onEnd(result: FullResult): Promise<{ status?: FullResult['status'] } | undefined> {
    if (this.#settings.mode === 'list') return undefined;
    await this.#guardAsync('find the secrets', async () => this.#redactor?.atEnd());
    for (const { changes, errors, ...state } of this.#followed?.since(this.#startedAt) ?? []) {
      const shown = changes.map(({ path: field, old, new: next }) => ({ path: field, old, new: next }));
      this.#runState.configStates.add({ ...state, errors: [...errors], changes: shown });
    }
    const report = this.#guard('make the report', () => this.#report(result));
    if (!report) {
      await this.#guardAsync('end the live page', async () => this.#live?.end(result.status, null));
      return undefined;
    }
    const { count, list } = this.#runState.foreign;
    if (count > 0) warn(foreignText(count, list[0]!.why));
    const history = (await this.#guardAsync('keep the history', () => this.#history(report))) ?? null;
    const written = await this.#write(report, history);
    await this.#guardAsync('end the live page', async () => {
      const page = written === null ? null : { shown: written, file: path.resolve(written) };
      await this.#live?.end(report.run.status, page);
    });
    this.#guard('print the summary', () => this.#print(summaryText(report, written, this.#hint())));
    await this.#announce(report, history);
    this.#guard('open the report', () => this.#open(report, written));
    return result.status === 'passed' && report.run.gate?.failed ? { status: 'failed' } : undefined;
  }

  #report(result: FullResult): Report {
    const tests = collectTests(this.#runState, this.#suite?.allTests() ?? [], this.#origin());
    const { folder, configDir, links, env, ci } = this.#settings;
    const startedAt = result.startTime.getTime();
    const { htmlFolder } = this.#others;
    return aggregate(this.#runState, tests, {
      status: result.status,
      startedAt,
      durationMs: result.duration,
      playwright: this.#config?.version ?? '',
      version: packageVersion(),
      shard: this.#config?.shard ?? null,
      ...placeOfRun(env, configDir),
      links: linksOf(links, { folder, configDir, htmlFolder, ciUrl: ci?.url ?? null, startedAt }),
    });
  }

  #openJournal(): Journal {
    const { folder, title } = this.#settings;
    return new Journal(folder, {
      startedAt: systemClock(),
      playwright: this.#config?.version ?? '',
      title,
      planned: this.#suite?.allTests().length ?? 0,
      shard: this.#config?.shard ?? null,
    });
  }

  #origin(): RecordOrigin {
    const { mode, folder, configDir } = this.#settings;
    const merging = mode === 'merge';
    const shard = this.#config?.shard?.current ?? (merging ? null : 1);
    return {
      rootDir: this.#config?.rootDir ?? '',
      shard,
      merging,
      judgeRecord: this.#judgeRecord,
      redact: (text) => this.#redact(text),
      linkTo: (file) => (isInside(configDir, file) ? relativeLink(folder, file) : null),
    };
  }

  /** Results that come before secrets can be recognised wait for that. */
  #onceRedactable(action: () => void): void {
    if (this.#redactor) this.#redactor.soon(action);
    else action();
  }

  #redact(text: string): string {
    return this.#redactor?.redact(text) ?? text;
  }

  /** Returns the page's path, relative to the current folder; null where it could not be written. */
  async #write(report: Report, history: RunHistory | null): Promise<string | null> {
    const { folder, title } = this.#settings;
    const data = await this.#guardAsync('write report.json', async () => {
      await writeData(folder, report);
      return true;
    });
    const page = await this.#guardAsync('write index.html', () => writePage(folder, report, title, history));
    this.#guard('remove the journal', () => this.#journal?.close(data === true));
    this.#journal = null;
    return page === undefined ? null : path.relative(process.cwd(), page) || page;
  }

  /** Where no configuration is to be found, how to get one. A machine that merges needs none. */
  #hint(): string | null {
    const { mode, configDir } = this.#settings;
    return mode === 'test' && this.#config && isWithoutConfig(this.#config, configDir, process.env)
      ? NO_CONFIG_HINT
      : null;
  }

  #history(report: Report): Promise<RunHistory | null> {
    const { history, historyFile, narrowed, mode, ci } = this.#settings;
    const scope = {
      narrowed,
      forbidOnly: this.#config?.forbidOnly === true,
      oneShard: mode !== 'merge' && (this.#config?.shard?.total ?? 1) > 1,
    };
    const defaultBranch = ci?.defaultBranch ?? null;
    return keepHistory(historyFile, report, { keep: history, scope, defaultBranch, warn });
  }

  #announce(report: Report, history: RunHistory | null): Promise<void> {
    return announce({
      report,
      history,
      settings: this.#settings,
      others: this.#others,
      rootDir: this.#config?.rootDir ?? '',
      print: (line) => this.#print(line),
      warn,
      guard: (what, action) => this.#guardAsync(what, action),
    });
  }

  #open(report: Report, page: string | null): void {
    const { open, interactive } = this.#settings;
    const wanted = open === 'always' || (open === 'on-failure' && report.run.status !== 'passed');
    if (page === null || !wanted || !interactive) return;
    openFile(path.resolve(page), (why) => warn(`could not open the report: ${why}`));
  }

  /** On stderr where another reporter writes data to stdout. */
  #print(text: string): void {
    const stream = this.#others.writeToStdout ? process.stderr : process.stdout;
    stream.write(`${text}\n`);
  }

  #guard<T>(what: string, action: () => T): T | undefined {
    try {
      return action();
    } catch (error) {
      this.#warnOnce(what, error);
      return undefined;
    }
  }

  async #guardAsync<T>(what: string, action: () => Promise<T>): Promise<T | undefined> {
    try {
      return await action();
    } catch (error) {
      this.#warnOnce(what, error);
      return undefined;
    }
  }

  /** One line for each kind of problem. */
  #warnOnce(what: string, error: unknown): void {
    if (this.#warned.has(what)) return;
    this.#warned.add(what);
    warn(`could not ${what}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function warn(line: string): void {
  process.stderr.write(`gemba-agent reporter: ${plainLine(line)}\n`);
}
