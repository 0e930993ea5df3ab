import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { ERROR_CODES } from '../../../src/core/errors.ts';
import { StoreDownError, unreachable } from '../../../src/redis/failures.ts';
import { strategyTimeout } from '../../../src/fixtures/strategies/errors.ts';
import { pages, root } from './pages.ts';

const page = pages().find(({ path }) => path === 'docs/troubleshooting.md')!;

describe('Troubleshooting', () => {
  test('has a heading for every code, and for no other', () => {
    const headings = page.headings.map((heading) => /^`(GEMBA_\w+)`$/.exec(heading)?.[1] ?? []).flat();
    expect(headings).toEqual([...ERROR_CODES]);
  });

  test('shows a message for every code, its cause, and what to do', () => {
    const sections = page.prose.split(/^#+ `(?=GEMBA_)/m).slice(1);
    expect(sections).toHaveLength(ERROR_CODES.length);
    const silent = sections.filter((section) => {
      const [heading, ...text] = section.split('\n');
      const [cause, action = ''] = text.join('\n').split('**Do:**');
      return !heading || !/\w{4}/.test(cause!) || !/\w{4}/.test(action);
    });
    expect(silent.map((section) => section.split('`')[0])).toEqual([]);
    expect(page.blocks.length).toBeGreaterThanOrEqual(ERROR_CODES.length);
  });

  test('has the words of errors that only a store or a strategy can cause', () => {
    const text = page.blocks.map((block) => block.text).join('\n');
    const printed = [
      unreachable('127.0.0.1:6399', 'the connection was refused (ECONNREFUSED)').message,
      new StoreDownError('127.0.0.1:6394', 'the connection was refused (ECONNREFUSED)').message,
      strategyTimeout('sign in', 'api', 200).message,
    ];
    expect(printed.filter((words) => !text.includes(words))).toEqual([]);
  });

  const notices = noticesOf(page.prose);

  test('lists notices', () => {
    expect(notices.length).toBeGreaterThan(20);
  });

  test.each(notices.map((notice) => [notice]))('quotes a notice as it is printed: %s', (notice) => {
    expect(fragmentsOf(notice).filter((words) => !sources.includes(words))).toEqual([]);
  });
});

/** The texts of the source, with parts that are joined over lines as one text. */
const sources = readdirSync(`${root}src`, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => readFileSync(`${root}src/${name}`, 'utf8'))
  .join('\n')
  .replaceAll(/['`]\s*\+\s*['`]/g, '')
  .replaceAll('\\`', '`');

/** The first column of the tables of notices. */
function noticesOf(prose: string): string[] {
  const [, after = ''] = prose.split('## Warnings and notices\n');
  const [section = ''] = after.split('\n## ');
  return section.split('\n').flatMap((line) => /^\| (`+)(.+?)\1 \|/.exec(line)?.[2] ?? []);
}

/** What is printed as it stands: the words between the names and numbers, for which the page has `…`. */
function fragmentsOf(notice: string): string[] {
  const [, prefix = '', words = ''] = /^(Gemba warning: |gemba-agent reporter: )?(.*)$/.exec(notice)!;
  return [prefix, ...words.split('…')].filter((part) => /\w/.test(part));
}

test('a notice that nothing prints is found out', () => {
  const [notice = ''] = noticesOf(
    '## Warnings and notices\n| `Gemba warning: nobody prints … like this` | |\n',
  );
  expect(fragmentsOf(notice)).toEqual(['Gemba warning: ', 'nobody prints ', ' like this']);
  expect(sources).not.toContain('nobody prints ');
});
