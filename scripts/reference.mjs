// Writes docs/configuration.md out of the built package: node scripts/reference.mjs
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { referenceText } from '../dist/config/reference.js';

writeFileSync(fileURLToPath(new URL('../docs/configuration.md', import.meta.url)), referenceText());
