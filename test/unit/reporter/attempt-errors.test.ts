import { describe, expect, it } from 'vitest';
import { attemptErrors } from '../../../src/reporter/collect/attempt-errors.ts';
import { reportOf } from './synthetic.ts';

const context = { rootDir: '/repo/tests', redact: (text: string) => text };

describe('the errors of a failed attempt', () => {
  it('have message, code frame and place, without colours', () => {
    const [error] = attemptErrors(
      [
        {
          message:
            '\u001b[31mError: expect(received).toBe(expected)\u001b[39m\r\n\nExpected: \u001b[32m43\u001b[39m',
          snippet: '\u001b[31m\u001b[1m>\u001b[22m\u001b[39m 85 |\texpect(total).toBe(43);',
          location: { file: '/repo/tests/shop/checkout.spec.ts', line: 85, column: 17 },
        },
      ],
      context,
    );
    expect(error).toEqual({
      message: 'Error: expect(received).toBe(expected)\n\nExpected: 43',
      snippet: '> 85 |  expect(total).toBe(43);',
      file: 'shop/checkout.spec.ts',
      line: 85,
      column: 17,
    });
  });

  it('are placed in the user\u2019s files, not in a package', () => {
    const stack = [
      'Error: no',
      '    at client (/repo/tests/node_modules/sdk/index.js:10:5)',
      '    at pay (file:///repo/tests/helpers/pay.ts:12:3)',
      '    at /repo/tests/a.spec.ts:3:1',
    ].join('\n');
    const location = { file: '/repo/tests/node_modules/sdk/index.js', line: 10, column: 5 };
    expect(attemptErrors([{ message: 'Error: no', stack, location }], context)[0]).toMatchObject({
      file: 'helpers/pay.ts',
      line: 12,
      column: 3,
    });
    expect(attemptErrors([{ message: 'Test timeout of 30000ms exceeded.' }], context)[0]).toMatchObject({
      file: null,
      line: null,
    });
  });

  it('include what caused them, and values that are no errors', () => {
    const error = { message: 'Error: outer', cause: { message: 'Error: inner', cause: { value: "'text'" } } };
    expect(attemptErrors([error], context)[0]!.message).toBe(
      "Error: outer\n[cause]: Error: inner\n[cause]: 'text'",
    );
  });

  it('are redacted before they are cut, and after the colours are gone', () => {
    const secret = 'hunter2-secret';
    const redact = (text: string): string => text.replaceAll(secret, '[key ci]');
    const coloured = `${'x'.repeat(3990)}hunter2-\u001b[7msecret\u001b[27m`;
    const [error] = attemptErrors([{ message: coloured, snippet: `> ${secret}` }], { ...context, redact });
    expect(JSON.stringify(error)).not.toMatch(/hunter2|secret/);
  });

  it('are those of the worker where only it knew the secret', () => {
    const redacted = [null, 'Error: refused [key ci-1]'];
    const errors = [{ message: 'Error: plain' }, { message: 'Error: refused hunter2-secret' }];
    expect(attemptErrors(errors, { ...context, redacted }).map(({ message }) => message)).toEqual([
      'Error: plain',
      'Error: refused [key ci-1]',
    ]);
  });

  it('lose control characters and what reverses the direction of text', () => {
    const [error] = attemptErrors([{ message: 'a\u0000b\u202Ec\u0007 d' }], context);
    expect(error!.message).toBe('a b c  d');
  });

  it('are in the report, of failed attempts only, with the trace', () => {
    const errors = [{ message: 'Error: first' }, { message: 'Error: second' }];
    const report = reportOf([
      { title: 'a', results: [{ status: 'failed', errors, trace: 'test-results/a/trace.zip' }, {}] },
      { title: 'b', expectedStatus: 'failed', results: [{ status: 'failed', errors }] },
    ]);
    const [flaky, expected] = report.tests.map(({ results }) => results);
    expect(flaky!.map((result) => result.errors.map(({ message }) => message))).toEqual([
      ['Error: first', 'Error: second'],
      [],
    ]);
    expect(flaky!.map(({ trace }) => trace)).toEqual(['test-results/a/trace.zip', null]);
    expect(expected![0]!.errors).toEqual([]);
  });
});
