import { packageRoot } from '../shared/package-root.ts';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { NotifyTarget } from './announce/webhooks.ts';
import { isInteractive, isNarrowed } from './collect/narrowing.ts';
import { type CiRun, ciRunOf } from './environment/ci.ts';
import type { LinksOption } from './environment/links.ts';

/** Options of `['gemba-agent/reporter', options]`. */
export interface GembaReporterOptions {
  /**
   * Where `index.html` and `report.json` go, relative to the Playwright config's folder. Env `GEMBA_REPORT_DIR`
   * wins, relative to the current folder.
   * @default 'gemba-report'
   */
  readonly outputFolder?: string;
  /**
   * Open the report at the end; never on CI or without a terminal.
   * @default 'never'
   */
  readonly open?: 'always' | 'never' | 'on-failure';
  /**
   * A page that shows the run while it goes on, by default on loopback and any free port. Its address, with a token, is printed
   * once.
   * @default false
   */
  readonly live?: boolean | { readonly port?: number; readonly host?: string };
  /** @default 'Gemba report' */
  readonly title?: string;
  /**
   * Append Markdown to the file that `GITHUB_STEP_SUMMARY` names, where it is set.
   * @default 'auto'
   */
  readonly stepSummary?: 'auto' | boolean;
  /**
   * Runs kept for trends; 0 for none. Interrupted runs, single shards and runs of a part of the tests are not kept.
   * @default 20
   */
  readonly history?: number;
  /**
   * The file that keeps them, relative to the Playwright config's folder. On CI, cache it between runs.
   * @default '<outputFolder>/history.json'
   */
  readonly historyFile?: string;
  /**
   * Where the report links to: Playwright's html report and the CI run, as addresses or paths from the Playwright config's
   * folder. By default both are found; `false` for none.
   */
  readonly links?: LinksOption;
  /** Webhooks that get one POST at the end of the run: `text` for chat services, and the totals. */
  readonly notify?: readonly NotifyTarget[];
  /**
   * Print one line for each failed test that GitHub Actions shows beside the code. `'auto'`: on GitHub Actions, without
   * Playwright's `github` reporter.
   * @default 'auto'
   */
  readonly ciAnnotations?: 'auto' | boolean;
}

/** Options that Playwright adds. */
export interface RunnerOptions {
  readonly configDir?: string;
  readonly _mode?: 'test' | 'list' | 'merge';
}

export interface Settings {
  readonly folder: string;
  readonly title: string;
  readonly open: 'always' | 'never' | 'on-failure';
  /** Where the live page listens, or null. Port 0: any free port. */
  readonly live: { readonly host: string; readonly port: number } | null;
  /** The folder of the Playwright config. */
  readonly configDir: string;
  readonly history: number;
  readonly historyFile: string;
  /** The command line selects a part of the tests. */
  readonly narrowed: boolean;
  /** The file for the step's summary, or null. */
  readonly stepSummaryFile: string | null;
  /** A browser may be opened. */
  readonly interactive: boolean;
  readonly mode: 'test' | 'list' | 'merge';
  readonly links: LinksOption | undefined;
  readonly notify: readonly NotifyTarget[];
  readonly ciAnnotations: 'auto' | boolean;
  /** UI mode, watch mode or an editor starts runs again and again. */
  readonly interactiveRun: boolean;
  readonly ci: CiRun | null;
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  readonly argv: readonly string[];
}

export function resolveSettings(
  options: GembaReporterOptions & RunnerOptions,
  env: NodeJS.ProcessEnv,
  cwd: string,
  argv: readonly string[] = [],
): Settings {
  const base = options.configDir ?? cwd;
  const folder = env['GEMBA_REPORT_DIR']
    ? path.resolve(cwd, env['GEMBA_REPORT_DIR'])
    : path.resolve(base, options.outputFolder ?? 'gemba-report');
  const stepSummaryFile = options.stepSummary === false ? null : env['GITHUB_STEP_SUMMARY'] || null;
  return {
    folder,
    title: options.title ?? 'Gemba report',
    open: options.open ?? 'never',
    live: liveOf(options.live),
    configDir: base,
    history: options.history ?? 20,
    historyFile: path.resolve(base, options.historyFile ?? path.join(folder, 'history.json')),
    narrowed: isNarrowed(argv),
    stepSummaryFile,
    interactive: !env['CI'] && Boolean(process.stdin.isTTY) && Boolean(process.stdout.isTTY),
    mode: options._mode ?? 'test',
    links: options.links,
    notify: (options.notify ?? []).map(({ webhook, on }) => ({
      webhook: String(webhook),
      on: on ?? ['always'],
    })),
    ciAnnotations: options.ciAnnotations ?? 'auto',
    interactiveRun: isInteractive(argv) || Boolean(env['PWTEST_WATCH']),
    ci: ciRunOf(env),
    env,
    cwd,
    argv,
  };
}

function liveOf(live: GembaReporterOptions['live']): Settings['live'] {
  if (!live) return null;
  const { host = '127.0.0.1', port = 0 } = live === true ? {} : live;
  return { host, port };
}

export function packageVersion(): string {
  const text = readFileSync(new URL('package.json', packageRoot), 'utf8');
  const { version } = JSON.parse(text) as { version: string };
  return version;
}
