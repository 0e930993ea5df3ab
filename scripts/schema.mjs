// Writes schema.json, the JSON Schema of the config file.
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gembaJsonSchema } from '../.cache/internals/index.js';

const target = fileURLToPath(new URL('../schema.json', import.meta.url));
writeFileSync(target, `${JSON.stringify(gembaJsonSchema(), null, 2)}\n`);
