import type { CommandSpec } from './command.ts';

const FILES = ['config', 'env'];

/** In the order in which help lists them. */
export const COMMANDS: readonly CommandSpec[] = [
  {
    name: 'init',
    summary: 'write gemba.config.json here, and where there is none a Playwright config and a first test',
    details:
      'It never writes over a file. It lists the files whose import would change, and says what is left to do. Exits with 1\n' +
      'if there is a gemba.config.json already.',
    examples: ['npx gemba init', 'npx gemba init --accounts', 'npx gemba init --llm --yes'],
    flags: ['api', 'accounts', 'llm', 'yes'],
    load: async () => (await import('./init.ts')).init,
  },
  {
    name: 'demo',
    operands: '[DIR]',
    summary: 'run the quick start, offline, and show where its report is',
    details:
      'It starts three replicas of a small API on this machine, with faults, and runs tests against them. It needs\n' +
      '@playwright/test, and no browser. DIR is a new folder. Default: a temporary one.',
    examples: ['npx gemba demo', 'npx gemba demo gemba-demo'],
    most: 1,
    load: async () => (await import('./demo.ts')).demo,
  },
  {
    name: 'check',
    summary: 'validate the configuration and ask every endpoint and key whether they work',
    details: 'Each key is sent to its own endpoints, once. Exits with 1 if an endpoint or key does not work.',
    examples: ['npx gemba check', 'npx gemba check --config staging/gemba.config.json --env .env.staging'],
    flags: ['json'],
    values: FILES,
    load: async () => (await import('./check.ts')).check,
  },
  {
    name: 'status',
    summary: 'show which endpoints and keys are healthy, held and waited for',
    examples: ['npx gemba status', 'npx gemba status --json'],
    flags: ['json'],
    values: FILES,
    load: async () => (await import('./status.ts')).status,
  },
  {
    name: 'disable',
    operands: 'POOL/NAME …',
    summary: 'keep an endpoint or key from all tests, in later runs too, until it is enabled',
    examples: ['npx gemba disable api/ci-1', 'npx gemba disable api/ci-1 api/ci-2'],
    flags: ['json'],
    values: FILES,
    most: Infinity,
    load: async () => (await import('./disable.ts')).disable,
  },
  {
    name: 'enable',
    operands: 'POOL/NAME …',
    summary: 'use an endpoint or key again that was disabled or reserved',
    examples: ['npx gemba enable api/ci-1', 'npx gemba enable api/ci-1 api/ci-2'],
    flags: ['json'],
    values: FILES,
    most: Infinity,
    load: async () => (await import('./enable.ts')).enable,
  },
  {
    name: 'reset',
    operands: 'POOL/NAME …',
    summary: 'end its pause, ejection or quarantine now, and forget its faults',
    examples: ['npx gemba reset api/us'],
    flags: ['json'],
    values: FILES,
    most: Infinity,
    load: async () => (await import('./reset.ts')).reset,
  },
  {
    name: 'reserve',
    operands: 'POOL/NAME …',
    summary: 'take an endpoint or key for yourself: no test gets it until that time, or until it is enabled',
    details:
      'TIME is a duration such as 30m or 2h. A test that holds it now may use it to the end. Tests that find nothing free show\n' +
      'the reason. Over Redis all machines obey.',
    examples: [
      'npx gemba reserve accounts/ada --for 2h --reason "Ana debugs the checkout"',
      'npx gemba enable accounts/ada',
    ],
    flags: ['json'],
    values: ['for', 'reason', ...FILES],
    most: Infinity,
    load: async () => (await import('./reserve.ts')).reserve,
  },
  {
    name: 'live',
    summary: 'show members, holders and waits on a page, without a run, until Ctrl-C',
    details:
      'The page is served on this machine only, at an address with a token. Over Redis it shows all machines. While it is open,\n' +
      'members that are due are probed.',
    examples: ['npx gemba live', 'npx gemba live --port 9400'],
    values: ['port', ...FILES],
    load: async () => (await import('./live.ts')).live,
  },
  {
    name: 'run',
    operands: 'COMMAND …',
    summary: 'lease, and run a command with the lease in its environment',
    details:
      'The command gets GEMBA_URL, GEMBA_KEY, GEMBA_KEY_NAME, GEMBA_FIELD_<NAME> and GEMBA_HEADER_<NAME>. The lease ends with\n' +
      'the command, and gemba exits with its exit code.',
    examples: [
      'npx gemba run -- pytest tests/',
      'npx gemba run --pool accounts --need role=admin -- ./seed.sh',
      'npx gemba run -- sh -c \'curl -H "authorization: $GEMBA_HEADER_AUTHORIZATION" $GEMBA_URL/orders\'',
    ],
    values: ['pool', 'need', 'endpoint', ...FILES],
    runs: true,
    load: async () => (await import('./run.ts')).run,
  },
  {
    name: 'show-report',
    operands: '[DIR]',
    summary:
      'open the report, also of a killed run; --gate only checks the gate, --markdown prints a summary',
    details:
      'DIR is the folder of the report. Default: GEMBA_REPORT_DIR, else the nearest gemba-report from here upward.',
    examples: [
      'npx gemba show-report',
      'npx gemba show-report --gate',
      'npx gemba show-report --markdown > summary.md',
    ],
    flags: ['gate', 'markdown'],
    most: 1,
    load: async () => (await import('./show-report.ts')).showReport,
  },
  {
    name: 'scan',
    operands: 'DIR',
    summary: 'search artifacts, zips and pages included, for values of the keys',
    details: 'Exits with 1 if it finds a value, or if something could not be read.',
    examples: ['npx gemba scan test-results', 'npx gemba scan playwright-report --json'],
    flags: ['json'],
    values: FILES,
    most: 1,
    load: async () => (await import('./scan.ts')).scan,
  },
];

/** What each option means, wherever it is taken. */
export const OPTIONS: Readonly<Record<string, string>> = {
  json: 'print JSON',
  config: 'the configuration; default: GEMBA_CONFIG, else the nearest gemba.config.json upward',
  env: 'variables for the configuration; default: .env beside it. Variables that are set already win',
  pool: 'the pool; default: the only one, else the one named "default"',
  need: 'a label that the key must carry; may be given several times',
  endpoint: 'the endpoint that the lease must have',
  for: 'for how long, such as 30m or 2h',
  port: 'the port of the page; default: any free one',
  reason: 'why, for those who look for it',
  api: 'a service with API keys (default)',
  accounts: 'tests that sign in as the account that they lease',
  llm: 'models of a vendor, such as OpenAI',
  yes: 'do not ask before changing what exists',
  markdown: 'print a summary in Markdown, for a pull request or a job page',
  gate: "only judge the report by the configuration's gate: exits with 1 if it fails",
};
