import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from './command.ts';
import { GembaError } from '../core/errors.ts';

/** Writes a first configuration into the present folder; never over one that is there. */
export const init: Command = async (_args, { folder, print }) => {
  const file = join(folder, 'gemba.config.json');
  if (existsSync(file)) {
    print(`There is a gemba.config.json here already; nothing was changed.\n`);
    return 1;
  }
  const found = findPlaywrightConfig(folder);
  const url = found === null ? null : plainBaseUrl(readFileSync(join(folder, found), 'utf8'));
  const example = 'https://staging.example.test';
  try {
    writeFileSync(file, template(url ?? example), { flag: 'wx' });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new GembaError('GEMBA_USAGE', `${file} cannot be written (${code}).`, { cause: error });
  }
  const from =
    url === null ? `; its address ${example} is to be replaced by yours` : `, with ${url} from ${found}`;
  const config = found ?? 'playwright.config.ts';
  print(`Wrote ${file}${from}.

Two lines are to add:

  // ${config}
  reporter: [['list'], ['gemba-agent/reporter']],

  // your tests, in place of '@playwright/test'
  import { test, expect } from 'gemba-agent';

Then set STAGING_KEY, see whether endpoint and key work, and run your tests:

  npx gemba check
  npx playwright test
`);
  return 0;
};

/** The Playwright config of a folder, in the order in which Playwright itself looks. */
function findPlaywrightConfig(folder: string): string | null {
  const names = ['ts', 'js', 'mts', 'mjs', 'cts', 'cjs'].map((end) => `playwright.config.${end}`);
  return names.find((name) => existsSync(join(folder, name))) ?? null;
}

/**
 * The base URL of a Playwright config, where it is plain: a text by itself, or the default behind an environment's. Not
 * one of a comment, and none where several differ.
 */
export function plainBaseUrl(source: string): string | null {
  const code = source.replaceAll(COMMENT_OR_TEXT, (part) => (part.startsWith('/') ? '' : part));
  const urls = new Set([...code.matchAll(BASE_URL)].map(([, , url]) => url!));
  const [url, ...others] = urls;
  if (url === undefined || others.length > 0 || !URL.canParse(url)) return null;
  const { username, password, search, hash } = new URL(url);
  return username + password + search + hash === '' ? url : null;
}

const COMMENT_OR_TEXT =
  /\/\/[^\n]*|\/\*[\s\S]*?\*\/|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`/g;
const BASE_URL =
  /\bbaseURL['"]?\s*:\s*(?:process\.env\.\w+\s*(?:\?\?|\|\|)\s*)?(['"`])(https?:\/\/[^'"`\s$]+)\1/g;

function template(url: string): string {
  return `{
  "$schema": "./node_modules/gemba-agent/schema.json",
  "pools": {
    "default": {
      // Every endpoint that can serve the tests: replicas, regions, vendor sandboxes.
      "endpoints": [${JSON.stringify(url)}],
      // Keys or accounts; values come from the environment. maxConcurrent: 1 makes one exclusive.
      "keys": [{ "name": "ci-1", "value": "\${STAGING_KEY}", "maxConcurrent": 1 }],
    },
  },
}
`;
}
