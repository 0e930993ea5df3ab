// The page's templates as a module that has them compiled, in place of src/reporter/page/templates.ts.
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import handlebars from 'handlebars';
import { rolldown } from 'rolldown';

export async function compiledTemplates(root) {
  const { COMPILING, readTemplates } = await templateSources(root);
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

/** The sources' own way to read them, bundled so that this Node.js can run it. */
async function templateSources(root) {
  const file = path.join(root, '.cache/build/template-sources.js');
  const input = path.join(root, 'src/reporter/page/template-sources.ts');
  const bundle = await rolldown({ input, platform: 'node' });
  await bundle.write({ file, format: 'esm' });
  await bundle.close();
  return import(pathToFileURL(file).href);
}
