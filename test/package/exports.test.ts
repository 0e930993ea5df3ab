import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeAll, expect, inject, test } from 'vitest';
import { createInlineProject, type InlineProject } from '../harness/run-inline-test.ts';

const ENTRIES = ['gemba-agent', 'reporter', 'router', 'config', 'lease'].map((name) =>
  name === 'gemba-agent' ? name : `gemba-agent/${name}`,
);

let project: InlineProject;

beforeAll(async () => {
  project = await createInlineProject({});
});

test('each entry exports exactly its public names', async () => {
  const names = await evaluate(`
    const names = {};
    for (const entry of ${JSON.stringify(ENTRIES)}) names[entry] = Object.keys(await import(entry)).sort();
    console.log(JSON.stringify(names));
  `);
  expect(names).toMatchInlineSnapshot(`
    {
      "gemba-agent": [
        "GembaError",
        "accountFixtures",
        "defineGembaConfig",
        "expect",
        "gembaFixtures",
        "test",
      ],
      "gemba-agent/config": [
        "gembaConfigSchema",
        "loadGembaConfig",
        "watchGembaConfig",
      ],
      "gemba-agent/lease": [
        "openGemba",
      ],
      "gemba-agent/reporter": [
        "default",
      ],
      "gemba-agent/router": [
        "createRouter",
      ],
    }
  `);
});

test('require gives the same modules as import', async () => {
  const same = await evaluate(`
    import { createRequire } from 'node:module';
    const require = createRequire(import.meta.url + '/');
    const same = {};
    for (const entry of ${JSON.stringify(ENTRIES)}) {
      const imported = await import(entry);
      const required = require(entry);
      same[entry] = Object.keys(imported).every((name) => imported[name] === required[name]);
    }
    console.log(JSON.stringify(same));
  `);
  expect(same).toEqual(Object.fromEntries(ENTRIES.map((entry) => [entry, true])));
});

test('the schema and the manifest can be resolved, inner files cannot', async () => {
  const resolved = await evaluate(`
    const attempts = ['schema.json', 'report.schema.json', 'package.json', 'dist/index.js', 'dist/base.js'].map((name) => {
      try { import.meta.resolve('gemba-agent/' + name); return [name, true]; } catch { return [name, false]; }
    });
    console.log(JSON.stringify(Object.fromEntries(attempts)));
  `);
  expect(resolved).toEqual({
    'schema.json': true,
    'report.schema.json': true,
    'package.json': true,
    'dist/index.js': false,
    'dist/base.js': false,
  });
});

test('the router loads neither Playwright nor a module of Node', async () => {
  const loaded = await evaluate(`
    import { readFileSync } from 'node:fs';
    import { fileURLToPath } from 'node:url';
    const seen = new Set();
    const walk = (url) => {
      if (seen.has(url)) return;
      seen.add(url);
      if (!url.startsWith('file:')) return;
      const source = readFileSync(fileURLToPath(url), 'utf8');
      for (const [, name] of source.matchAll(/^(?:import|export)[^'"]*from ['"]([^'"]+)['"]/gm)) {
        walk(name.startsWith('.') ? new URL(name, url).href : name);
      }
    };
    walk(import.meta.resolve('gemba-agent/router'));
    console.log(JSON.stringify([...seen].filter((url) => !/\\/dist\\/(router|router-core|kernel)\\.js$/.test(url))));
  `);
  expect(loaded).toEqual([]);
});

test('leases outside of tests load no file before they are opened, and never Playwright', async () => {
  const loaded = (await evaluate(`
    import { readFileSync } from 'node:fs';
    import { fileURLToPath } from 'node:url';
    const walk = (url, seen, pattern) => {
      if (seen.has(url)) return seen;
      seen.add(url);
      if (!url.startsWith('file:')) return seen;
      const source = readFileSync(fileURLToPath(url), 'utf8');
      for (const [, name] of source.matchAll(pattern)) walk(name.startsWith('.') ? new URL(name, url).href : name, seen, pattern);
      return seen;
    };
    const entry = import.meta.resolve('gemba-agent/lease');
    const at = walk(entry, new Set(), /^(?:import|export)[^'"]*from ['"]([^'"]+)['"]/gm);
    const opened = walk(new URL('open.js', entry).href, new Set(), /^(?:import|export)[^'"]*from ['"]([^'"]+)['"]/gm);
    console.log(JSON.stringify({ at: [...at].length, opened: [...opened] }));
  `)) as { at: number; opened: string[] };
  expect(loaded.at).toBe(1);
  expect(loaded.opened.length).toBeGreaterThan(5);
  expect(loaded.opened.filter((url) => /playwright|undici|reporter|worker\.js/.test(url))).toEqual([]);
});

test('the command is linked and tells its version', async () => {
  const folder = path.join(inject('installedProject'), 'node_modules/gemba-agent');
  const manifest = JSON.parse(await readFile(path.join(folder, 'package.json'), 'utf8')) as {
    version: string;
    bin: { gemba: string };
  };
  const { exitCode, stdout } = await project.node([path.join(folder, manifest.bin.gemba), '--version']);
  expect({ exitCode, stdout: stdout.trim() }).toEqual({ exitCode: 0, stdout: manifest.version });
});

async function evaluate(source: string): Promise<unknown> {
  const { exitCode, stdout, output } = await project.node(['--input-type=module', '--eval', source]);
  if (exitCode !== 0) throw new Error(output);
  return JSON.parse(stdout);
}
