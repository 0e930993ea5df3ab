// Bundles the sources with rolldown: entries by their public names, and a chunk for each part that is loaded later.
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { rolldown } from 'rolldown';
import { writeLicenses } from './licenses.mjs';
import { bundledScripts, compiledTemplates } from './page.mjs';

/** The package, and what benchmarks and the scripts that write docs use of its inside. */
export const BUNDLES = [
  {
    folder: 'dist',
    entries: {
      index: 'src/index.ts',
      reporter: 'src/reporter/index.ts',
      config: 'src/config/index.ts',
      router: 'src/router/index.ts',
      lease: 'src/lease/index.ts',
      cli: 'src/cli/main.ts',
      broker: 'src/broker/main.ts',
      client: 'src/client/index.ts',
    },
  },
  { folder: '.cache/internals', entries: { index: 'scripts/internals.ts' }, format: 'esm' },
];

/** Packages that each process loads at once: as a file of ours they take a fifth of the time. */
const BUNDLED = ['zod', 'jsonc-parser', 'leven', 'handlebars/runtime.js'];

/** Entries that users import. The others are started as programs, or serve the benchmarks. */
const PUBLIC = ['index', 'reporter', 'router', 'config', 'lease'];

/**
 * Which file a module goes into, by the first pattern that fits its path in src: modules that are loaded together are one file.
 * What fits none goes where rolldown puts it, with the entry or the later part that needs it alone.
 */
const CHUNKS = [
  ['zod', /node_modules\/zod\/|^shared\/(?:zod|compile-later)/],
  // What every process loads: nothing of Node.js at first, for the router alone, and nothing of a schema library.
  ['kernel', /^core\/(?:clock|errors|limits|types|request-outcome|labels|pace\/day)/],
  [
    'base',
    /^(?:\.\.\/node_modules\/leven|shared\/(?!zod|compile-later|record\.ts)|sessions\/(?:secrets|folder)|config\/(?:find|environment|problems|source)|core\/(?:verdict\/(?:recovery|route|span)|health\/states|pace\/day))/,
  ],
  ['verdict', /^core\/verdict/],
  // What finds the secrets of a file: the reporter loads it without the schema library.
  [
    'secrets',
    /^\.\.\/node_modules\/jsonc-parser|^sessions\/(?!secrets|folder)|^config\/(?:secrets|totp|redactor|rough|variables|env-file|value-file|json)\.ts/,
  ],
  ['config-core', /^config\/(?!index|define|watch|edits\/edit)/],
  ['router-core', /^router\/(?!index|routing|rotations)/],
  ['wire', /^wire\/(?:lines|greeting)|^broker\/socket-file/],
  ['project', /^client\/(?!index)/],
  ['http-rules', /^http\/(?!send|dispatcher|probe|oauth2)/],
  ['send', /^http\/(?:send|dispatcher)/],
  // What each worker loads besides its entry, and what the parts that lease share.
  [
    'worker-base',
    /^fixtures\/(?:config-failure|lease\/(?:arguments|refusal|target|binding|pin|pool-view)|test-time|lazy|playwright-private|polling|probe|call-sites|strategies\/caller-location|pages\/made-by-hand)/,
  ],
  [
    'lease-base',
    /^(?:lease\/project-leases|fixtures\/(?:lease\/(?:held-lease|leases|plain-view|waits)|calls\/(?:target-url|classify|http-send|call|execute|fetch|record|reported|spending|body-start|leased-call)))/,
  ],
  [
    'report',
    /^(?:reporter\/(?:collect|environment|judge|report|history|terminal|options|output|write)|shared\/record\.ts)/,
  ],
  ['page', /^\.\.\/node_modules\/handlebars|^reporter\/page/],
  ['announce', /^reporter\/announce\/(?!announce)/],
  // What the parts that lease share with those that sign accounts in, by way of Playwright.
  ['leased', /^fixtures\/(?:lease\/lease-view|calls\/(?:leased-call|request)|pages\/(?!made-by-hand))/],
  ['commands', /^cli\/(?!main|help|command|terminal|scan)/],
];

export async function writeBundle(root, { folder, entries, format = 'cjs' }) {
  const bundle = await rolldown({
    cwd: root,
    input: Object.fromEntries(Object.entries(entries).map(([name, file]) => [name, path.join(root, file)])),
    platform: 'node',
    // Packages stay packages: a user sees and audits them. Those that every process needs at once are bundled.
    external: (id) => /^[^./\0]/.test(id) && !BUNDLED.includes(id),
    // The bundler finds the modules of a package's ESM build, where Node.js would not.
    resolve: { mainFields: ['module', 'main'] },
    plugins: [luaTexts(), compiledPage(root)],
    transform: { target: 'es2022' },
    preserveEntrySignatures: 'allow-extension',
    treeshake: { moduleSideEffects: false },
  });
  const ending = format === 'cjs' ? 'cjs' : 'js';
  const { output } = await bundle.write({
    dir: path.join(root, folder),
    // Where Playwright runs, each ES module is loaded by way of a second thread, which takes three times as long.
    format,
    entryFileNames: `[name].${ending}`,
    chunkFileNames: `[name].${ending}`,
    esModule: true,
    codeSplitting: {
      includeDependenciesRecursively: false,
      groups: [{ name: (id) => chunkOf(root, id), debugName: 'parts' }],
    },
    // Fixture functions are parsed by Playwright from their text, and stacks in bug reports are to be read.
    minify: false,
    minifyInternalExports: false,
    strict: true,
    exports: 'named',
    comments: false,
  });
  await bundle.close();
  if (format === 'cjs') {
    refuseImportedEntries(output);
    writeModules(path.join(root, folder), output);
  }
  writeLicenses(path.join(root, folder), output);
}

/** What is imported by its public name is an ES module, too. It gives out what the file of CommonJS has. */
function writeModules(folder, output) {
  for (const { isEntry, name, exports } of output) {
    if (!isEntry || !PUBLIC.includes(name)) continue;
    const names = exports.filter((each) => each !== 'default');
    // The router imports nothing of Node.js. Elsewhere, requiring is quicker: Node.js reads the text of what is imported for its names.
    const loaded =
      name === 'router'
        ? [`import all from './router.cjs';`]
        : [
            `import { createRequire } from 'node:module';`,
            `const all = createRequire(import.meta.url)('./${name}.cjs');`,
          ];
    const lines = [
      ...loaded,
      ...(names.length > 0 ? [`export const { ${names.join(', ')} } = all;`] : []),
      ...(exports.includes('default') ? [`export default all.default;`] : []),
    ];
    writeFileSync(path.join(folder, `${name}.js`), `${lines.join('\n')}\n`);
  }
}

/** An entry exports its public names alone: what other files need of its modules belongs to a chunk of its own. */
function refuseImportedEntries(output) {
  const entries = output
    .filter(({ isEntry, name }) => isEntry && PUBLIC.includes(name))
    .map(({ fileName }) => fileName);
  const faults = output.flatMap(({ fileName, imports = [] }) =>
    imports.filter((file) => entries.includes(file)).map((file) => `${fileName} imports the entry ${file}`),
  );
  if (faults.length > 0)
    throw new Error(`${faults.join('\n')}\nName the modules that both need in CHUNKS of ${import.meta.url}.`);
}

function chunkOf(root, id) {
  const file = path.relative(path.join(root, 'src'), id).replaceAll(path.sep, '/');
  return CHUNKS.find(([, pattern]) => pattern.test(file))?.[0] ?? null;
}

/** `*.lua?raw`: the text of a script, without its comments. */
function luaTexts() {
  return {
    name: 'lua-texts',
    load(id) {
      const [file, query] = id.split('?');
      if (query !== 'raw' || !file.endsWith('.lua')) return null;
      const lines = readFileSync(file, 'utf8').split('\n');
      const code = lines.filter((line) => line !== '' && !line.trimStart().startsWith('--'));
      return { code: `export default ${JSON.stringify(code.join('\n'))};`, moduleType: 'js' };
    },
  };
}

/** The page's templates compiled and its scripts bundled: doing so takes longer than filling them with thousands of tests. */
function compiledPage(root) {
  const replacements = { templates: compiledTemplates, scripts: bundledScripts };
  return {
    name: 'compiled-page',
    async load(id) {
      const [, name] = /\/src\/reporter\/page\/(templates|scripts)\.ts$/.exec(id) ?? [];
      return name === undefined ? null : { code: await replacements[name](root), moduleType: 'js' };
    },
  };
}
