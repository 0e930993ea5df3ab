import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { format } from 'prettier';
import { expect, test } from 'vitest';

const folder = fileURLToPath(new URL('../../../src/redis/lua/', import.meta.url));

test('src/redis/scripts.ts holds the scripts of src/redis/lua; run vitest with -u to write it', async () => {
  const options = { parser: 'typescript', singleQuote: true, printWidth: 110 } as const;
  await expect(await format(await render(), options)).toMatchFileSnapshot('../../../src/redis/scripts.ts');
});

/** tsc copies no files but its own, so the package carries the scripts as text, without their comments. */
async function render(): Promise<string> {
  const names = (await readdir(folder)).toSorted().map((file) => path.basename(file, '.lua'));
  const scripts = await Promise.all(
    names.map(
      async (name) => `${name}: \`${escaped(code(await readFile(`${folder}${name}.lua`, 'utf8')))}\`,`,
    ),
  );
  return [
    '/** Written by test/unit/redis/scripts.test.ts from the files in lua/, which hold the comments. */',
    `export const LUA = {\n${scripts.join('\n')}\n} as const;`,
  ].join('\n');
}

function code(text: string): string {
  const lines = text.split('\n').filter((redis) => redis !== '' && !redis.trimStart().startsWith('--'));
  return `\n${lines.join('\n')}\n`;
}

function escaped(text: string): string {
  return text.replace(/[\\`]|\$\{/g, '\\$&');
}
