import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** The repository's folder. */
export const root: string = fileURLToPath(new URL('../../../', import.meta.url));

interface Block {
  readonly language: string;
  readonly text: string;
  /** Line of its first line, from 1. */
  readonly line: number;
}

export interface Page {
  /** Path from the repository's folder. */
  readonly path: string;
  readonly headings: readonly string[];
  readonly blocks: readonly Block[];
  /** Its text without the blocks of code. */
  readonly prose: string;
}

/** Every page that a reader finds: those of the root, of docs and of examples. */
export function pages(): Page[] {
  const below = ['docs', 'examples'].flatMap((folder) =>
    readdirSync(`${root}${folder}`, { recursive: true, encoding: 'utf8' })
      .filter((name) => !name.includes('node_modules'))
      .map((name) => `${folder}/${name.replaceAll('\\', '/')}`),
  );
  return [...readdirSync(root), ...below]
    .filter((name) => name.endsWith('.md'))
    .toSorted()
    .map((name) => parsePage(name, readFileSync(`${root}${name}`, 'utf8')));
}

export function parsePage(path: string, text: string): Page {
  const headings: string[] = [];
  const blocks: Block[] = [];
  const prose: string[] = [];
  let open: { fence: string; language: string; line: number; lines: string[] } | null = null;
  for (const [index, line] of text.split('\n').entries()) {
    const [, fence, language = ''] = /^\s*(```+)(\w*)/.exec(line) ?? [];
    if (open && fence === open.fence && language === '') {
      blocks.push({ language: open.language, text: open.lines.join('\n'), line: open.line });
      open = null;
    } else if (open) open.lines.push(line);
    else if (fence !== undefined) open = { fence, language, line: index + 2, lines: [] };
    else {
      prose.push(line);
      const heading = /^#{1,6} (.+)$/.exec(line)?.[1];
      if (heading !== undefined) headings.push(heading);
    }
  }
  if (open) throw new Error(`${path}:${open.line}: a block of code without an end`);
  return { path, headings, blocks, prose: prose.join('\n') };
}

/** The anchors of a page's headings, as GitHub makes them. */
export function anchorsOf({ headings }: Page): string[] {
  const seen = new Map<string, number>();
  return headings.map((heading) => {
    const text = heading.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1').toLowerCase();
    const slug = text.replaceAll(/[^\p{L}\p{N}_\- ]/gu, '').replaceAll(' ', '-');
    const times = seen.get(slug) ?? 0;
    seen.set(slug, times + 1);
    return times === 0 ? slug : `${slug}-${times}`;
  });
}
