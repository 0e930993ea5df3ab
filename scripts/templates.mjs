// Writes dist/reporter/page/templates.js out of templates/ and the built package: the page's templates, compiled.
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import handlebars from 'handlebars';
import { COMPILING, readTemplates } from '../dist/reporter/page/template-sources.js';

const { page, partials } = await readTemplates();

/** @param {string} source */
function compiled(source) {
  // Its types speak of the object that this text makes.
  const specification = /** @type {string} */ (
    /** @type {unknown} */ (handlebars.precompile(source, COMPILING))
  );
  return `engine.template(${specification})`;
}

const lines = [
  '// Made by scripts/templates.mjs',
  "import handlebars from 'handlebars/runtime.js';",
  'const engine = handlebars.create();',
  ...partials.map(
    ({ name, source }) => `engine.registerPartial(${JSON.stringify(name)}, ${compiled(source)});`,
  ),
  `const page = ${compiled(page)};`,
  'export const pageTemplate = async () => page;',
];
const target = fileURLToPath(new URL('../dist/reporter/page/templates.js', import.meta.url));
writeFileSync(target, `${lines.join('\n')}\n`);
