/** Commands in this version, each with what it does. */
const COMMANDS_HELP: readonly (readonly [name: string, what: string])[] = [
  ['init', 'write gemba.config.json here and say what to add to your project'],
  ['check', 'validate the configuration and ask every endpoint and key whether they work'],
  ['status', 'show which endpoints and keys are healthy, held and waited for'],
  ['disable POOL/NAME', 'keep an endpoint or key from all tests, in later runs too, until it is enabled'],
  ['enable POOL/NAME', 'let a disabled one take part again'],
  ['reset POOL/NAME', 'end its pause, ejection or quarantine now, and forget its faults'],
  ['show-report [DIR]', 'open the report, also of a run that was killed; --gate only judges it'],
  ['scan DIR', 'search artifacts, zips and pages included, for values of the keys'],
];

const OPTIONS_HELP: readonly (readonly [name: string, what: string])[] = [
  ['--json', 'check, status or scan: as JSON'],
  ['--config FILE', 'the configuration; else GEMBA_CONFIG, else the nearest gemba.config.json upward'],
  ['--env-file FILE', 'variables for it, else .env beside it; those that are set already win'],
];

export const HELP: string = `Usage: gemba COMMAND [OPTIONS]

Leases of rotated endpoints and keys for Playwright tests.

Commands
${lines(COMMANDS_HELP)}

Options of check, status, scan, disable, enable and reset
${lines(OPTIONS_HELP)}

check sends each key to its own endpoints, once. The others send no key anywhere, but need the variables
of the configuration: a key is known by its name and a fingerprint of its value, so one with a new value
is a new key.

Options
  --help             show this
  --version          show the version

Exit codes: 0 fine, 1 a finding, 2 misuse or a configuration error.
`;

function lines(entries: readonly (readonly [name: string, what: string])[]): string {
  return entries.map(([name, what]) => `  ${name.padEnd(19)}${what}`).join('\n');
}
