import { z } from 'zod';
import { gembaConfigSchema } from './schema.ts';

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
  const { $schema, ...rest } = schema;
  const $id = 'https://unpkg.com/gemba-agent/schema.json';
  const description = 'Pools of endpoints and keys that gemba-agent leases to Playwright tests.';
  return { $schema, $id, title: 'gemba.config.json', description, ...rest };
}
