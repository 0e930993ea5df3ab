import { describe, expect, test } from 'vitest';
import { ConfigError } from '../../../src/config/problems.ts';
import { FULL } from './full.ts';
import { loadValue } from './project.ts';

const CANARY = 'canary-5d1c7';
type Json = null | string | number | boolean | Json[] | { [name: string]: Json };

/** Every copy of a value in which one part is something else. */
function* mutants(value: Json, parts: readonly Json[]): Generator<Json> {
  yield* parts;
  if (typeof value !== 'object' || value === null) return;
  for (const [name, part] of Object.entries(value)) {
    for (const mutant of mutants(part, parts)) {
      const copy = structuredClone(value) as { [name: string]: Json };
      copy[name] = mutant;
      yield copy;
    }
  }
}

function messageOf(value: Json): string {
  try {
    loadValue(value, { V: CANARY });
    return '';
  } catch (error) {
    // Anything but our own error would be a defect, and shows with its stack.
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
}

describe('Whatever is wrong in a configuration', () => {
  const parts = [
    null,
    0,
    -1,
    1.5,
    true,
    '',
    CANARY,
    `\${V}`,
    `${CANARY} x`,
    [],
    [CANARY],
    {},
    { value: CANARY },
  ];
  const messages = [...mutants(FULL as unknown as Json, parts)]
    .map(messageOf)
    .filter((message) => message !== '');

  test('is told in our words', () => {
    expect(messages.length).toBeGreaterThan(500);
    const strange = /invalid input|expected|unrecognized|too (small|big)|undefined|NaN|\[object/i;
    expect(messages.filter((message) => strange.test(message))).toEqual([]);
    expect(
      messages.filter(
        (message) =>
          !/^gemba\.config\.json is not valid \(\d+ problems?\):\n( {2}\/\S+:\d+:\d+ {2}.+\n?)+$/.test(
            message,
          ),
      ),
    ).toEqual([]);
  });

  test('is told without the value', () => {
    // Names of endpoints are no secrets, and help.
    const bare = messages.map((message) => message.replace(/known: .*/, ''));
    expect(bare.filter((message) => message.includes(CANARY))).toEqual([]);
  });
});
