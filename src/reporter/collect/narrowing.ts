import { parseArgs } from 'node:util';

/** Options of `playwright test` that leave tests out. */
const NARROWING = [
  'grep',
  'grep-invert',
  'project',
  'last-failed',
  'only-changed',
  'test-list',
  'test-list-invert',
  'ui',
  'debug',
] as const;
/** Options with a value in the next argument, with their short forms. */
const WITH_VALUE: Readonly<Record<string, string>> = {
  'add-reporter': '',
  browser: '',
  config: 'c',
  'global-timeout': '',
  grep: 'g',
  'grep-invert': 'G',
  'last-failed-file': '',
  'max-failures': '',
  output: '',
  project: '',
  'repeat-each': '',
  reporter: '',
  retries: '',
  'retry-strategy': '',
  'run-agents': '',
  shard: '',
  'shard-weights': '',
  timeout: '',
  trace: '',
  tsconfig: '',
  'ui-host': '',
  'ui-port': '',
  'update-source-method': '',
  workers: 'j',
};
/** Options that may take the next argument. */
const MAY_TAKE_VALUE: readonly (string | undefined)[] = ['-u', '--update-snapshots', '--shuffle'];

/**
 * Whether the runner's command line asks for a part of the tests: by files, by a filter, or test by test as editors and UI
 * mode do. Playwright does not pass that to reporters.
 */
export function isNarrowed(argv: readonly string[]): boolean {
  const given = argv.slice(2);
  const from = given.findIndex((arg) => arg === 'test' || arg === 'test-server' || arg === 'merge-reports');
  if (given[from] !== 'test') return given[from] === 'test-server';
  const entries = Object.entries(WITH_VALUE).map(([name, short]) => {
    return [name, { type: 'string' as const, ...(short ? { short } : {}) }] as const;
  });
  const args = given.slice(from + 1);
  const { values, positionals } = parseArgs({
    args,
    options: Object.fromEntries(entries),
    strict: false,
    allowPositionals: true,
  });
  const taken = args.filter((_, index) => MAY_TAKE_VALUE.includes(args[index - 1]));
  const files = positionals.filter((name) => !taken.includes(name));
  return files.length > 0 || NARROWING.some((name) => values[name] !== undefined);
}

/** Whether UI mode or an editor started the runner. */
export function isInteractive(argv: readonly string[]): boolean {
  return argv.some((arg) => arg === 'test-server' || arg === '--ui' || /^--ui-(?:host|port)\b/.test(arg));
}
