// Writes schema.json out of the built package: node scripts/schema.mjs [dist folder]
import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const dist = resolve(process.argv[2] ?? resolve(root, 'dist'));
const { gembaJsonSchema } = await import(pathToFileURL(resolve(dist, 'config/schema/json-schema.js')).href);
writeFileSync(resolve(root, 'schema.json'), `${JSON.stringify(gembaJsonSchema(), null, 2)}\n`);
