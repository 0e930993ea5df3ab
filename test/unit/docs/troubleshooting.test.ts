import { describe, expect, test } from 'vitest';
import { ERROR_CODES } from '../../../src/core/errors.ts';
import { pages } from './pages.ts';

const page = pages().find(({ path }) => path === 'docs/troubleshooting.md')!;

describe('Troubleshooting', () => {
  test('has a heading for every code, and for no other', () => {
    const headings = page.headings.map((heading) => /^`(GEMBA_\w+)`$/.exec(heading)?.[1] ?? []).flat();
    expect(headings).toEqual([...ERROR_CODES]);
  });

  test('shows a message for every code, and says what to do', () => {
    const sections = page.prose.split(/^#+ `(?=GEMBA_)/m).slice(1);
    expect(sections).toHaveLength(ERROR_CODES.length);
    const silent = sections.filter((section) => !section.includes('**Do:**'));
    expect(silent.map((section) => section.split('`')[0])).toEqual([]);
    expect(page.blocks.length).toBeGreaterThanOrEqual(ERROR_CODES.length);
  });
});
