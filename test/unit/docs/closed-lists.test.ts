import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { COMMANDS } from '../../../src/cli/commands.ts';
import { HEALTH_STATES, OUTCOME_KINDS, PROTOCOLS } from '../../../src/core/types.ts';
import { pages } from './pages.ts';

const docs = pages().filter(({ path }) => path.startsWith('docs/'));
const templates = new URL('../../../templates/', import.meta.url);
const styles = readdirSync(templates)
  .filter((file) => file.endsWith('.css'))
  .map((file) => readFileSync(new URL(file, templates), 'utf8'))
  .join('\n');

/** The objects of report.json with their fields, as its schema has them. */
const { definitions } = JSON.parse(
  readFileSync(new URL('../../../report.schema.json', import.meta.url), 'utf8'),
) as { definitions: Record<string, { properties?: object }> };
const reportFields = Object.entries(definitions)
  .map(([name, { properties = {} }]) => [name, Object.keys(properties)] as const)
  .filter(([, fields]) => fields.length > 0);

/** What the compiler cannot see of the lists in core/types.ts. */
describe('Every value of a closed list', () => {
  test.each(HEALTH_STATES.map((state) => [state]))('the state %s has its colour on the page', (state) => {
    expect(styles).toMatch(
      new RegExp(`^\\.state\\.${state}\\b[^{]*\\{ --tone:|, \\.state\\.${state}\\b`, 'm'),
    );
  });

  test.each([...HEALTH_STATES, ...OUTCOME_KINDS, ...PROTOCOLS].map((value) => [value]))(
    '%s stands in the docs',
    (value) => {
      const found = docs.filter(({ prose }) => new RegExp(`[\`*"]${value}[\`*"]`).test(prose));
      expect(found.map(({ path }) => path)).not.toEqual([]);
    },
  );

  test.each(COMMANDS.map(({ name }) => [name]))('the command %s stands in the docs', (name) => {
    expect(docs.some(({ prose }) => prose.includes(`gemba ${name}`))).toBe(true);
  });

  test.each(reportFields.map(([name, fields]) => ({ name, fields })))(
    'the fields of $name in report.json stand in its reference',
    ({ fields }) => {
      const { prose } = docs.find(({ path }) => path === 'docs/report-json.md')!;
      expect(fields.filter((field) => !prose.includes(`\`${field}\``))).toEqual([]);
    },
  );
});
