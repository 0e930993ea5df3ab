// The page's templates compiled and its scripts bundled: modules in place of src/reporter/page/templates.ts and scripts.ts.
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import handlebars from 'handlebars';
import { rolldown } from 'rolldown';

export async function compiledTemplates(root) {
  const { COMPILING, readTemplates } = await sources(root, 'template-sources');
  const { page, partials } = await readTemplates();
  /** @param {string} source */
  const compiled = (source) => {
    // Its types speak of the object that this text makes.
    const text = /** @type {string} */ (/** @type {unknown} */ (handlebars.precompile(source, COMPILING)));
    return `engine.template(${text})`;
  };
  return [
    "import handlebars from 'handlebars/runtime.js';",
    'const engine = handlebars.create();',
    ...partials.map(
      ({ name, source }) => `engine.registerPartial(${JSON.stringify(name)}, ${compiled(source)});`,
    ),
    `const page = ${compiled(page)};`,
    'export const pageTemplate = async () => page;',
  ].join('\n');
}

export async function bundledScripts(root) {
  const { bundleScripts } = await sources(root, 'script-sources');
  const folder = pathToFileURL(path.join(root, 'src/reporter/page/browser/'));
  const { page, live } = await bundleScripts(folder);
  return [
    `const scripts = { page: ${JSON.stringify(page)}, live: ${JSON.stringify(live)} };`,
    'export const pageScripts = async () => scripts;',
  ].join('\n');
}

/** A module of src/reporter/page, bundled so that this Node.js can run it. */
async function sources(root, name) {
  const file = path.join(root, `.cache/build/${name}.js`);
  const input = path.join(root, `src/reporter/page/${name}.ts`);
  const bundle = await rolldown({ input, platform: 'node', external: ['rolldown'] });
  await bundle.write({ file, format: 'esm' });
  await bundle.close();
  return import(pathToFileURL(file).href);
}
