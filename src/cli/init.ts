import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { GembaError } from '../core/errors.ts';
import { misuse } from './arguments.ts';
import type { Arguments, Command } from './command.ts';
import {
  findPlaywrightConfig,
  importersOf,
  missingLines,
  plainBaseUrl,
  plainTestDir,
} from './init/project.ts';
import { IGNORED, type Kind, PLAYWRIGHT_CONFIG, VARIANTS } from './init/variants.ts';
import type { Terminal } from './terminal.ts';

const CONFIG = 'gemba.config.json';
const MAX_LISTED = 20;

/** Writes a first configuration into the present folder, and what else is missing; never over a file that is there. */
export const init: Command = async (args, terminal) => {
  const { folder, print } = terminal;
  const kind = kindOf(args);
  if (existsSync(join(folder, CONFIG))) {
    print(`There is a ${CONFIG} here already; nothing was changed.\n`);
    return 1;
  }
  const variant = VARIANTS[kind];
  const found = findPlaywrightConfig(folder);
  const source = found === null ? '' : readFileSync(join(folder, found), 'utf8');
  const url = plainBaseUrl(source);
  const importers = importersOf(folder);
  const files: Record<string, string> = { [CONFIG]: variant.config(url ?? variant.url) };
  if (found === null) files['playwright.config.ts'] = PLAYWRIGHT_CONFIG;
  if (importers.length === 0)
    for (const [name, text] of Object.entries(variant.tests))
      files[join(plainTestDir(source) ?? 'tests', name)] = text;
  const kept = Object.keys(files).filter((name) => existsSync(join(folder, name)));
  const written = Object.entries(files).filter(([name]) => !kept.includes(name));
  for (const [name, text] of written) write(folder, name, text);
  const ignored = await ignore(args, terminal);
  const all = [...written.map(([name]) => name), ...ignored.written];
  const from = url === null ? '' : `, with ${url} from ${found}`;
  print(`Wrote ${all.join(', ')}${from}.\n`);
  if (kept.length > 0) print(`Kept as they are: ${kept.join(', ')}.\n`);
  for (const step of steps({
    kind,
    hasUrl: url !== null,
    found,
    source,
    importers,
    unignored: ignored.missing,
  }))
    print(`\n${step}\n`);
  return 0;
};

function kindOf({ spec, flags }: Arguments): Kind {
  const [kind = 'api', ...others] = (Object.keys(VARIANTS) as Kind[]).filter((each) => flags.has(each));
  if (others.length > 0) throw misuse(spec, `takes one of --api, --accounts and --llm`);
  return kind;
}

function write(folder: string, name: string, text: string): void {
  const file = join(folder, name);
  try {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text, { flag: 'wx' });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new GembaError('GEMBA_USAGE', `${file} cannot be written (${code}).`, { cause: error });
  }
}

/** A new `.gitignore`, or further lines of one that is there: then it asks. */
async function ignore(
  { flags }: Arguments,
  { folder, ask }: Terminal,
): Promise<{ readonly written: readonly string[]; readonly missing: readonly string[] }> {
  const file = join(folder, '.gitignore');
  if (!existsSync(file)) {
    write(folder, '.gitignore', `${IGNORED.join('\n')}\n`);
    return { written: ['.gitignore'], missing: [] };
  }
  const before = readFileSync(file, 'utf8');
  const missing = missingLines(before, IGNORED);
  if (missing.length === 0) return { written: [], missing };
  const mayWrite = flags.has('yes') || (await ask?.(`Add ${missing.join(', ')} to .gitignore?`)) === true;
  if (!mayWrite) return { written: [], missing };
  writeFileSync(
    file,
    `${before}${before === '' || before.endsWith('\n') ? '' : '\n'}${missing.join('\n')}\n`,
  );
  return {
    written: [`${missing.length === 1 ? 'a line' : `${missing.length} lines`} of .gitignore`],
    missing: [],
  };
}

interface Situation {
  readonly kind: Kind;
  /** The configuration has the address as it is. */
  readonly hasUrl: boolean;
  readonly found: string | null;
  readonly source: string;
  readonly importers: readonly string[];
  readonly unignored: readonly string[];
}

/** What is left for a person to do. */
function steps({ kind, hasUrl, found, source, importers, unignored }: Situation): string[] {
  const { variables, tests } = VARIANTS[kind];
  const all: string[] = [];
  if (found !== null && !source.includes('gemba-agent/reporter'))
    all.push(`Add the reporter to ${found}:\n\n  reporter: [['list'], ['gemba-agent/reporter']],`);
  if (importers.length > 0) {
    const shown = importers.slice(0, MAX_LISTED).map((name) => `  ${name}`);
    const more = importers.length > MAX_LISTED ? [`  and ${importers.length - MAX_LISTED} more`] : [];
    const line = "import { test, expect } from 'gemba-agent';";
    all.push(
      `These files import from '@playwright/test'. Where that is \`test\`, change it; \`expect\` may come along:\n\n` +
        `${[...shown, ...more].join('\n')}\n\n  ${line}`,
    );
    if (kind === 'accounts')
      all.push(
        `Sign each test in as its account, with a \`test\` of your own:\n\n${indented(tests['signed-in.ts']!)}`,
      );
  }
  if (unignored.length > 0)
    all.push(`Add to .gitignore:\n\n${unignored.map((line) => `  ${line}`).join('\n')}`);
  const lines = Object.entries(variables)
    // The address is that of the Playwright config.
    .filter(([name]) => !(hasUrl && name.endsWith('_URL')))
    .map(([name, what]) => `  ${name.padEnd(16)}${what}`);
  all.push(`Set in .env, beside ${CONFIG}, or in the environment:\n\n${lines.join('\n')}`);
  all.push(
    'Then see whether endpoints and keys work, and run the tests:\n\n  npx gemba check\n  npx playwright test',
  );
  return all;
}

function indented(text: string): string {
  return text.trimEnd().replaceAll(/^(?=.)/gm, '  ');
}
