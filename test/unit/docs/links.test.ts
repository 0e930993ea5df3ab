import { existsSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { anchorsOf, type Page, pages, parsePage, root } from './pages.ts';

const all = pages();
/** [text](target), also of pictures; not what stands in `code`. */
const LINK = /\[[^\]]*\]\(([^()\s]+)\)/g;

function targetsOf({ prose }: Page): string[] {
  return [...prose.replaceAll(/`[^`\n]*`/g, '').matchAll(LINK)].map(([, target]) => target!);
}

/** What is wrong with a link, or null. */
function problemOf(page: Page, target: string): string | null {
  if (/^(https?|mailto):/.test(target)) return null;
  const [file = '', anchor] = target.split('#');
  const to = file === '' ? page.path : path.posix.join(path.posix.dirname(page.path), file);
  if (!existsSync(path.join(root, to))) return `${page.path}: there is no ${to}`;
  if (anchor === undefined) return null;
  const there = all.find((each) => each.path === to);
  return there && anchorsOf(there).includes(anchor) ? null : `${page.path}: there is no ${to}#${anchor}`;
}

describe('The pages', () => {
  test('link to files and headings that are there', () => {
    const problems = all.flatMap((page) => targetsOf(page).map((target) => problemOf(page, target)));
    expect(problems.length).toBeGreaterThan(80);
    expect(problems.filter((problem) => problem !== null)).toEqual([]);
  });

  test('are all in the index, but for those of the root', () => {
    const index = all.find((page) => page.path === 'docs/README.md')!;
    const linked = targetsOf(index).map((target) => path.posix.join('docs', target.split('#')[0]!));
    const docs = all.map((page) => page.path).filter((name) => name.startsWith('docs/'));
    expect(docs.filter((name) => name !== index.path && !linked.includes(name))).toEqual([]);
  });

  test('show pictures that are described', () => {
    const pictures = all.flatMap(({ path: name, prose }) =>
      [...prose.matchAll(/!\[([^\]]*)\]/g)].map(([, words]) => ({ name, words: words! })),
    );
    expect(pictures.length).toBeGreaterThan(3);
    expect(pictures.filter(({ words }) => words.length < 20)).toEqual([]);
  });
});

test('a missing file, a missing heading and a picture are found out', () => {
  const page = parsePage(
    'docs/x.md',
    '# A `b` (c)\n\n[a](#a-b-c) [b](#b) ![](no.png) [d](ci.md#nowhere) `[e](f.md)`',
  );
  expect(anchorsOf(page)).toEqual(['a-b-c']);
  expect(targetsOf(page)).toEqual(['#a-b-c', '#b', 'no.png', 'ci.md#nowhere']);
  expect(problemOf(page, 'no.png')).toBe('docs/x.md: there is no docs/no.png');
  expect(problemOf(page, 'ci.md#nowhere')).toBe('docs/x.md: there is no docs/ci.md#nowhere');
  expect(problemOf(page, 'ci.md#the-gate')).toBeNull();
});
