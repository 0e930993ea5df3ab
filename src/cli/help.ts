/** Commands in this version, each with what it does. */
const COMMANDS_HELP: readonly (readonly [name: string, what: string])[] = [
  ['init', 'write gemba.config.json here and say what to add to your project'],
];

/** Commands that a later version brings. */
export const LATER: readonly string[] = [
  'check',
  'status',
  'enable',
  'disable',
  'reset',
  'scan',
  'show-report',
];

export const HELP: string = `Usage: gemba COMMAND [OPTIONS]

Leases of rotated endpoints and keys for Playwright tests.

Commands
${COMMANDS_HELP.map(([name, what]) => `  ${name.padEnd(14)}${what}`).join('\n')}

Not in this version yet
  ${LATER.join(', ')}

Options
  --help        show this
  --version     show the version

Exit codes: 0 fine, 1 a finding, 2 misuse or a configuration error.
`;
