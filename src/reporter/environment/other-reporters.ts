import type { Env } from '../../shared/env.ts';
import path from 'node:path';
import type { ReporterDescription } from '@playwright/test';

/** What this run's other reporters mean for ours. */
export interface OtherReporters {
  /** One of them writes data to stdout. */
  readonly writeToStdout: boolean;
  /** The shards of this run are merged later. */
  readonly hasBlob: boolean;
  readonly hasGithub: boolean;
  /** The folder of Playwright's html report, where it is one of them. */
  readonly htmlFolder: string | null;
}

export const NO_OTHERS: OtherReporters = {
  writeToStdout: false,
  hasBlob: false,
  hasGithub: false,
  htmlFolder: null,
};

/** Reporters that print their data unless a file is named. */
const PRINTING = ['json', 'junit'];

interface ReporterContext {
  readonly argv: readonly string[];
  readonly env: Env;
  readonly configDir: string;
  readonly cwd: string;
}

export function otherReporters(
  configured: readonly ReporterDescription[],
  { argv, env, configDir, cwd }: ReporterContext,
): OtherReporters {
  // While blobs are merged, the config has not those of the command line.
  const named = reportersOfCommand(argv).map((name): ReporterDescription => [name]);
  const reporters = named.length > 0 ? named : configured;
  const optionsOf = (name: string): Readonly<Record<string, unknown>> | null => {
    const found = reporters.find(([own]) => own === name);
    return found ? ((found[1] as Readonly<Record<string, unknown>> | undefined) ?? {}) : null;
  };
  const html = optionsOf('html');
  return {
    writeToStdout: PRINTING.some((name) => {
      const options = optionsOf(name);
      return options !== null && !hasOutputFile(name, options, env);
    }),
    hasBlob: optionsOf('blob') !== null,
    hasGithub: optionsOf('github') !== null,
    htmlFolder: html && htmlFolderOf(html, { env, configDir, cwd }),
  };
}

/** As Playwright's reporters decide it (`resolveOutputFile`). */
function hasOutputFile(name: string, options: Readonly<Record<string, unknown>>, env: Env): boolean {
  const variable = `PLAYWRIGHT_${name.toUpperCase()}_OUTPUT`;
  return Boolean(
    env[`${variable}_FILE`] || env[`${variable}_NAME`] || options['outputFile'] || options['fileName'],
  );
}

function htmlFolderOf(
  options: Readonly<Record<string, unknown>>,
  { env, configDir, cwd }: Omit<ReporterContext, 'argv'>,
): string {
  const given = env['PLAYWRIGHT_HTML_OUTPUT_DIR'] || env['PLAYWRIGHT_HTML_REPORT'];
  if (given) return path.resolve(cwd, given);
  const { outputFolder } = options;
  return path.resolve(configDir, typeof outputFolder === 'string' ? outputFolder : 'playwright-report');
}

/** `--reporter=json,html`, `--reporter json` */
function reportersOfCommand(argv: readonly string[]): string[] {
  const values = argv.flatMap((arg, index) => {
    const given = /^--reporter(?:=(.*))?$/.exec(arg);
    return given ? [given[1] ?? argv[index + 1] ?? ''] : [];
  });
  return (values.at(-1) ?? '')
    .split(',')
    .map((name) => name.trim())
    .filter(Boolean);
}
