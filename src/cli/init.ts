import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { GembaError } from '../core/errors.ts';

/** Writes a first configuration into the present folder; never over one that is there. */
export function init(args: readonly string[], folder: string, print: (text: string) => void): number {
  const unknown = args.find((arg) => arg !== '--yes');
  if (unknown !== undefined) {
    throw new GembaError('GEMBA_USAGE', `gemba init does not know "${unknown}". Usage: gemba init [--yes]`);
  }
  const file = join(folder, 'gemba.config.json');
  if (existsSync(file)) {
    print(`There is a gemba.config.json here already; nothing was changed.\n`);
    return 1;
  }
  const baseURL = plainBaseUrl(folder);
  writeFileSync(file, template(baseURL ?? 'https://staging.example.test'), { flag: 'wx' });
  print(`Wrote ${file}${baseURL === null ? '' : ` with the baseURL of your Playwright config`}.

Two lines are to add:

  // playwright.config.ts
  reporter: [['list'], ['gemba-agent/reporter']],

  // your tests, in place of '@playwright/test'
  import { test, expect } from 'gemba-agent';

Then set STAGING_KEY, see whether endpoint and key work, and run your tests:

  npx gemba check
  npx playwright test
`);
  return 0;
}

/** The base URL of the Playwright config here, where it stands there as plain text. */
function plainBaseUrl(folder: string): string | null {
  const config = readdirSync(folder).find((name) => /^playwright\.config\.[cm]?[jt]s$/.test(name));
  if (config === undefined) return null;
  return (
    /\bbaseURL:\s*(['"])(https?:\/\/[^'"\s]+)\1/.exec(readFileSync(join(folder, config), 'utf8'))?.[2] ?? null
  );
}

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
