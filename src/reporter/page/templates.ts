import handlebars from 'handlebars';
import { COMPILING, readTemplates } from './template-sources.ts';

/**
 * The page as a function of its view. The build puts a module in place of this one that has it compiled: compiling it
 * takes longer than filling it with a run of thousands of tests.
 */
export async function pageTemplate(): Promise<(view: object) => string> {
  const { page, partials } = await readTemplates();
  const engine = handlebars.create();
  for (const { name, source } of partials) engine.registerPartial(name, source);
  return engine.compile<object>(page, COMPILING);
}
