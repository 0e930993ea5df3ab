import { describe, expect, test } from 'vitest';
import { ERROR_CODES } from '../../../src/core/errors.ts';
import { refusalText, eventText } from '../../../src/config/messages.ts';
import { StoreDownError, unreachable } from '../../../src/redis/failures.ts';
import { shardWarning, workerWarning } from '../../../src/fixtures/warnings.ts';
import { strategyTimeout } from '../../../src/fixtures/strategies/errors.ts';
import { loadValue } from '../config/project.ts';
import { pages } from './pages.ts';

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

  test('has the words of what is printed', () => {
    const text = [page.prose, ...page.blocks.map((block) => block.text)].join('\n');
    const pools = { api: { keys: [{ value: 'one key', maxConcurrent: 1 }] } };
    const config = loadValue({ name: 'shop', pools });
    const state = { revision: '…', at: 0, broker: '', seq: 1, changes: [], errors: [] };
    const refused = { ...state, errors: ['a problem'] };
    const file = 'gemba.config.json';
    const printed = [
      `Gemba warning: ${firstSentence(shardWarning(config, { current: 1, total: 2 }))}`,
      `Gemba warning: ${workerWarning('api', config.pools['api']!, 2)!.split(' for its')[0]}`,
      refusalText(file, refused, []),
      refusalText(file, state, []),
      eventText(file, refused, state)!,
      eventText(file, { ...state, revision: 'before' }, state)!.split(';')[0]!,
      unreachable('127.0.0.1:6399', 'the connection was refused (ECONNREFUSED)').message,
      new StoreDownError('127.0.0.1:6394', 'the connection was refused (ECONNREFUSED)').message,
      strategyTimeout('sign in', 'api', 200).message,
    ];
    expect(printed.filter((words) => !text.includes(words))).toEqual([]);
  });
});

function firstSentence(text: string | null): string {
  return text!.split('. ')[0]!;
}
