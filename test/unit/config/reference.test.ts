import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { VARIABLES } from '../../../src/config/environment.ts';
import { fieldsOf, gembaJsonSchema } from '../../../scripts/docs/json-schema.ts';
import { referenceText } from '../../../scripts/docs/reference.ts';

const root = new URL('../../../', import.meta.url);
/** What one process of ours tells another. */
const INTERNAL = ['GEMBA_BROKER_STORE', 'GEMBA_RECORD_SEAL'];
/** What `gemba run` sets for its command, and the code never reads. */
const SET = /^GEMBA_(?:URL|KEY|KEY_NAME|(?:FIELD|HEADER)_\w*)?$/;

function read(name: string): string {
  return readFileSync(new URL(name, root), 'utf8');
}

describe('The reference', () => {
  test('is what the schema says (else run `npm run build`)', () => {
    expect(read('docs/configuration.md')).toBe(referenceText());
  });

  test('has every field in the section where it belongs', () => {
    const rows = referenceText()
      .split('\n')
      .filter((line) => line.startsWith('| `'));
    const paths = new Set(fieldsOf(gembaJsonSchema()).map(({ path }) => path));
    expect(rows).toHaveLength(paths.size + Object.keys(VARIABLES).length);
    expect(rows.filter((row) => row.includes('undefined') || /\| {2}\| `/.test(row))).toEqual([]);
  });

  test('has every variable that the code reads', () => {
    const sources = readdirSync(new URL('src/', root), { recursive: true, encoding: 'utf8' }).filter(
      (name) => name.endsWith('.ts') && !name.endsWith('environment.ts'),
    );
    // Error codes begin alike, and stand in quotes.
    const codes = /'GEMBA_[A-Z_]+'/g;
    const known = new Set(
      read('src/core/errors.ts')
        .match(codes)
        ?.map((code) => code.slice(1, -1)),
    );
    const used = sources.flatMap((name) => read(`src/${name}`).match(/\bGEMBA_[A-Z_]+/g) ?? []);
    const variables = [...new Set(used)].filter(
      (name) => !known.has(name) && !INTERNAL.includes(name) && !SET.test(name),
    );
    expect(variables.sort()).toEqual(Object.keys(VARIABLES).sort());
  });
});
