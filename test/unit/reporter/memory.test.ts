import { describe, expect, it } from 'vitest';
import { linkToTest, safeLink } from '../../../src/reporter/page/links.ts';
import { stripOf } from '../../../src/reporter/page/strip.ts';
import { memoryOf } from '../../../src/reporter/page/view-memory.ts';
import { sampleReport } from '../../harness/sample-page.ts';

describe('the strip of a test', () => {
  it('counts its outcomes in words, with a mark for each that is not a pass', () => {
    const { label, paths, width } = stripOf('pp.PEfeupi');
    expect(label).toBe(
      'Last 10 runs: 3 passed, 1 not run, 1 failed by the product, 1 failed by the environment, ' +
        '1 flaky by the product, 1 flaky by the environment, 1 flaky, cause unknown, 1 interrupted',
    );
    expect(paths.map(({ mark, path }) => [mark, path.split('M').length - 1])).toEqual([
      ['gap', 2],
      ['product', 2],
      ['environment', 2],
      ['unknown', 1],
    ]);
    expect(width).toBe(49);
  });

  it('draws nothing where a test has passed each time', () => {
    expect(stripOf('ppp').paths).toEqual([]);
  });
});

describe('the memory', () => {
  const { history } = sampleReport({ tests: 40, minutes: 5 });

  it('has nothing to say without earlier runs', () => {
    const { outcomes, change } = memoryOf(null);
    expect([outcomes('a'), change('a')]).toEqual([null, null]);
  });

  it.each([
    ['ppP', 'new failure'],
    ['pEP', 'new failure'],
    ['pEPP', 'still failing since'],
    ['pPp', 'fixed'],
    ['pfp', 'flaky by the product in 1 run'],
    ['pee', 'flaky by the environment in 2 runs'],
    ['ppE', null],
    ['ppp', null],
  ])('says of %s: %s', (letters, said) => {
    const { outcomes, change } = memoryOf({ ...history, outcomes: new Map([['a', letters]]) });
    expect(outcomes('a')).toBe(letters);
    if (said === null) expect(change('a')).toBeNull();
    else expect(change('a')).toContain(said);
  });

  it('shows no strip for a test that ran for the first time', () => {
    expect(memoryOf({ ...history, outcomes: new Map([['a', '..P']]) }).outcomes('a')).toBeNull();
  });
});

describe('a link of the page', () => {
  it.each(['https://ci.example.test/1', 'http://ci/1', '../playwright-report/index.html', 'a%3Ab/trace.zip'])(
    'may be %s',
    (link) => expect(safeLink(link)).toBe(link),
  );

  it.each([
    'javascript:alert(1)',
    ' java\u0000script:alert(1)',
    '\tJAVASCRIPT:alert(1)',
    'java\nscript:alert(1)',
    'data:text/html,<script>alert(1)</script>',
    'vbscript:x',
    'file:///etc/passwd',
    '//evil.example.test/x',
    '\\\\evil.example.test\\x',
    '/\\evil.example.test',
    '',
    null,
  ])('is never %j', (link) => expect(safeLink(link)).toBeNull());

  it('opens a test in Playwright’s report', () => {
    expect(linkToTest('../playwright-report/index.html', 'a b&c')).toBe(
      '../playwright-report/index.html#?testId=a%20b%26c',
    );
  });
});
