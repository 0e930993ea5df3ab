// Writes docs/configuration.md, the reference of the config file.
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { referenceText } from '../.cache/internals/index.js';

writeFileSync(fileURLToPath(new URL('../docs/configuration.md', import.meta.url)), referenceText());
