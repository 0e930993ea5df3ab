import { packageRoot } from '../../shared/package-root.ts';
import { readdir, readFile } from 'node:fs/promises';

/** Where the page's templates, styles and scripts are. */
export const TEMPLATES: URL = new URL('templates/', packageRoot);

/** How Handlebars compiles them: a name that the view does not have is an error. */
export const COMPILING = { strict: true, knownHelpersOnly: true } as const;

export interface TemplateSources {
  readonly page: string;
  readonly partials: readonly { readonly name: string; readonly source: string }[];
}

/** The text of all templates, without line breaks that are only layout. */
export async function readTemplates(): Promise<TemplateSources> {
  const names = (await readdir(new URL('partials/', TEMPLATES))).filter((name) => name.endsWith('.hbs'));
  const partials = names.sort().map(async (name) => ({
    name: name.slice(0, -'.hbs'.length),
    source: await readTemplate(`partials/${name}`),
  }));
  return { page: await readTemplate('dashboard.hbs'), partials: await Promise.all(partials) };
}

async function readTemplate(name: string): Promise<string> {
  return compact(await readFile(new URL(name, TEMPLATES), 'utf8'));
}

/** Line breaks beside tags and mustaches are only layout of the template; on the page each would be a DOM node. */
function compact(source: string): string {
  return source.replaceAll(/(?<=[>}])\s*\n\s*|\s*\n\s*(?=[<{])/g, '');
}
