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
    const attempts = ['schema.json', 'report.schema.json', 'package.json', 'dist/index.js', 'dist/base.cjs'].map((name) => {
      try { import.meta.resolve('gemba-agent/' + name); return [name, true]; } catch { return [name, false]; }
    });
    console.log(JSON.stringify(Object.fromEntries(attempts)));
  `);
  expect(resolved).toEqual({
    'schema.json': true,
    'report.schema.json': true,
    'package.json': true,
    'dist/index.js': false,
    'dist/base.cjs': false,
  });
});

/** Files and modules that importing it loads at once; those that it loads later are not followed. */
const LOADED_BY = `
  import { readFileSync } from 'node:fs';
  import { fileURLToPath } from 'node:url';
  const AT_ONCE = [
    /^(?:import|export)[^'"]*from ['"]([^'"]+)['"]/gm,
    /^(?:let|const) \\w+ = [\\w.(]*require\\(['"]([^'"]+)['"]\\)/gm,
    /createRequire\\(import\\.meta\\.url\\)\\(['"]([^'"]+)['"]\\)/g,
  ];
  function loadedBy(url, seen = new Set()) {
    if (seen.has(url)) return seen;
    seen.add(url);
    if (!url.startsWith('file:')) return seen;
    const source = readFileSync(fileURLToPath(url), 'utf8');
    for (const pattern of AT_ONCE)
      for (const [, name] of source.matchAll(pattern)) loadedBy(name.startsWith('.') ? new URL(name, url).href : name, seen);
    return seen;
  }`;

test('the router loads neither Playwright nor a module of Node', async () => {
  const loaded = (await evaluate(`${LOADED_BY}
    console.log(JSON.stringify([...loadedBy(import.meta.resolve('gemba-agent/router'))]));
  `)) as string[];
  expect(loaded.map((url) => url.split('/dist/').at(-1)!)).toEqual([
    'router.js',
    'router.cjs',
    'router-core.cjs',
    'kernel.cjs',
  ]);
});

test('leases outside of tests load nothing before they are opened, and never Playwright', async () => {
  const loaded = (await evaluate(`${LOADED_BY}
    const entry = import.meta.resolve('gemba-agent/lease');
    const opened = loadedBy(new URL('open.cjs', entry).href);
    console.log(JSON.stringify({ at: [...loadedBy(entry)], opened: [...opened] }));
  `)) as { at: string[]; opened: string[] };
  expect(loaded.at.map((url) => url.split('/dist/').at(-1)!)).toEqual([
    'lease.js',
    'node:module',
    'lease.cjs',
  ]);
  expect(loaded.opened.length).toBeGreaterThan(5);
  expect(loaded.opened.filter((url) => /playwright|undici|reporter|worker\.cjs/.test(url))).toEqual([]);
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
