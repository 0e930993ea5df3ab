import { z } from '../../src/shared/zod.ts';
import { EXAMPLES } from './examples.ts';
import { asObject, isObject, items } from '../../src/config/json.ts';
import { gembaConfigSchema } from '../../src/config/schema/schema.ts';

/** A field of the config file, as the schema has it. */
export interface SchemaField {
  /** Such as `pools.*.keys.name`. */
  readonly path: string;
  readonly node: Record<string, unknown>;
}

/** The JSON Schema of the config file as it is written, for editors: schema.json of the package. */
export function gembaJsonSchema(): Record<string, unknown> {
  const schema = z.toJSONSchema(gembaConfigSchema, {
    io: 'input',
    // Editors know this draft best.
    target: 'draft-07',
    override: ({ jsonSchema }) => {
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
    },
  });
  const { $schema, required: _, ...rest } = schema;
  // A file that extends another one has there what it lacks itself.
  rest.anyOf = [{ required: ['pools'] }, { required: ['extends'] }];
  for (const { path, node } of fieldsOf(rest)) {
    const endpoint = path === 'pools.*.endpoints' ? longFormOf(node) : undefined;
    if (endpoint) {
      delete endpoint['required'];
      endpoint['anyOf'] = [{ required: ['url'] }, { required: ['name'] }];
    }
    const examples = EXAMPLES[path];
    if (examples) node['examples'] = examples;
  }
  const $id = 'https://unpkg.com/gemba-agent/schema.json';
  const description = 'Pools of endpoints and keys that gemba-agent leases to Playwright tests.';
  return { $schema, $id, title: 'gemba.config.json', description, ...rest };
}

/** Of an array whose items have a short form, the long one. */
function longFormOf({ items: item }: Record<string, unknown>): Record<string, unknown> | undefined {
  const forms = items(asObject(item)['anyOf']);
  return forms.find((form) => isObject(form) && form['type'] === 'object') as
    Record<string, unknown> | undefined;
}

/** All fields of a JSON Schema, each before those in it. One that has several forms is told once for each. */
export function fieldsOf(node: unknown, path = ''): SchemaField[] {
  if (Array.isArray(node)) return node.flatMap((part) => fieldsOf(part, path));
  if (!isObject(node)) return [];
  const { properties, additionalProperties, items, anyOf, oneOf } = node;
  const own = Object.entries(isObject(properties) ? properties : {}).flatMap(([name, field]) => {
    const at = path === '' ? name : `${path}.${name}`;
    return [{ path: at, node: field as Record<string, unknown> }, ...fieldsOf(field, at)];
  });
  const entries = isObject(additionalProperties) ? fieldsOf(additionalProperties, `${path}.*`) : [];
  return [...own, ...entries, ...fieldsOf(items, path), ...fieldsOf(anyOf, path), ...fieldsOf(oneOf, path)];
}
