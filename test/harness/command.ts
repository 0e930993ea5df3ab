import { readArguments } from '../../src/cli/arguments.ts';
import { COMMANDS } from '../../src/cli/commands.ts';
import type { Terminal } from '../../src/cli/terminal.ts';

/** Runs a command of the CLI in this process, as its main module does. */
export async function runCommand(
  name: string,
  args: readonly string[],
  terminal: Partial<Terminal> & Pick<Terminal, 'folder'>,
): Promise<number> {
  const spec = COMMANDS.find((command) => command.name === name)!;
  const usual = { env: {}, colours: false, interactive: false, print: () => {}, warn: () => {} };
  const command = await spec.load();
  return command(readArguments(spec, args), { ...usual, ...terminal });
}
