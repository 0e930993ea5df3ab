import { describe, expect, it } from 'vitest';
import { ERROR_CODES, GembaError, withoutCode } from '../../../src/core/errors.ts';
import { rejected } from '../../../src/client/failures.ts';
import { anchorsOf, pages } from '../docs/pages.ts';

const entry = 'node_modules/gemba-agent/docs/troubleshooting.md';

describe('GembaError', () => {
  it('ends its message with its code, once, also around the message of another', () => {
    const inner = new GembaError('GEMBA_STORE_CLIENT_MISSING', 'It needs a package.');
    expect(inner.message).toBe('It needs a package. (GEMBA_STORE_CLIENT_MISSING)');
    const outer = new GembaError('GEMBA_STORE_UNREACHABLE', inner.message, { cause: inner });
    expect(outer.message).toBe('It needs a package. (GEMBA_STORE_UNREACHABLE)');
    expect(new GembaError('GEMBA_USAGE', outer.message).message).toBe('It needs a package. (GEMBA_USAGE)');
    expect(withoutCode(outer.message)).toBe('It needs a package.');
  });

  it('keeps other parentheses, also those that look like a code', () => {
    const { message } = new GembaError('GEMBA_USAGE', 'It is refused (GEMBA_CONFIG) (ECONNREFUSED)');
    expect(message).toBe('It is refused (GEMBA_CONFIG) (ECONNREFUSED) (GEMBA_USAGE)');
  });

  it('writes the code below a list or a line to copy', () => {
    const codeAfter = (message: string): string =>
      new GembaError('GEMBA_USAGE', message).message.slice(message.length);
    expect(codeAfter('Two problems:\n  a.\n  b.')).toBe('\n(GEMBA_USAGE)');
    expect(codeAfter('It is wrong\nUsage: gemba init [--yes]')).toBe('\n(GEMBA_USAGE)');
    expect(codeAfter('It is wrong.\nCorrect it.')).toBe(' (GEMBA_USAGE)');
  });

  it('has the code at the end of what a broker answers, too', () => {
    const why = 'The store at x:1 cannot be used: it hangs.';
    const error = rejected({ type: 'rejected', code: 'store', why });
    expect([error.code, error.message]).toEqual([
      'GEMBA_STORE_UNREACHABLE',
      `${why} (GEMBA_STORE_UNREACHABLE)`,
    ]);
  });

  it('names an entry of the docs that is there, for every code', () => {
    const page = pages().find(({ path }) => path === 'docs/troubleshooting.md')!;
    const anchors = anchorsOf(page);
    for (const code of ERROR_CODES) {
      const [file, anchor] = new GembaError(code, 'x').docs.split('#');
      expect([file, anchor]).toEqual([entry, code.toLowerCase()]);
      expect(anchors).toContain(anchor);
    }
  });
});
