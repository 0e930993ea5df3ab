// Writes report.schema.json, the JSON Schema of report.json, from the types in src/reporter/report/model.ts.
import { statSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const at = (name) => fileURLToPath(new URL(`../${name}`, import.meta.url));
const target = at('report.schema.json');
const sources = ['src/reporter/report/model.ts', 'src/core/types.ts', 'scripts/report-schema.mjs'].map(at);

/** What the types cannot say, by the name of a field. */
const MOMENTS = new Set(['at', 'from', 'to', 'until', 'startedAt']);
const RATES = new Set(['successRate', 'share']);

if (isStale()) writeFileSync(target, await text());

function isStale() {
  const written = statSync(target, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  return sources.some((source) => statSync(source).mtimeMs > written);
}

async function text() {
  // Takes a second to load.
  const { createGenerator } = await import('ts-json-schema-generator');
  const { $schema, $ref, definitions } = createGenerator({
    path: at('src/reporter/report/model.ts'),
    tsconfig: at('tsconfig.json'),
    type: 'Report',
    expose: 'all',
    skipTypeCheck: true,
    additionalProperties: true,
  }).createSchema('Report');
  for (const definition of Object.values(definitions)) refine(definition);
  const { description } = definitions.Report;
  const head = { $schema, title: 'report.json of gemba-agent', description, $ref };
  return `${JSON.stringify({ ...head, definitions: named(definitions) }, null, 2)}\n`;
}

/** Types without a name of their own, such as `Readonly<…>`, stand where they are used. */
function named(definitions) {
  const isName = (name) => /^\w+$/.test(name);
  const inline = (_, value) => {
    const name = decodeURIComponent(value?.$ref ?? '').slice('#/definitions/'.length);
    if (name === '' || isName(name)) return value;
    const { $ref: _ref, ...beside } = value;
    return { ...definitions[name], ...beside };
  };
  const own = Object.fromEntries(Object.entries(definitions).filter(([name]) => isName(name)));
  return JSON.parse(JSON.stringify(own, inline));
}

function refine(schema, name = '') {
  const types = [schema.type].flat();
  if (types.includes('number')) schema.minimum = 0;
  if (types.includes('number') && RATES.has(name)) schema.maximum = 1;
  if (types.includes('string') && !schema.enum && MOMENTS.has(name)) schema.format = 'date-time';
  if (name === 'fingerprint') schema.pattern = '^[0-9a-f]{8}$';
  for (const [key, field] of Object.entries(schema.properties ?? {})) refine(field, key);
  for (const part of [schema.items, schema.additionalProperties, ...(schema.anyOf ?? [])]) {
    if (part && typeof part === 'object') refine(part, name);
  }
}
