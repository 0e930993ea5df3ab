// Keeps of tsc's declarations those that the public types need.
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';

const SPECIFIER = /(?:from|import)\s*\(?\s*['"](\.[^'"]+)['"]/g;

export function pruneTypes(folder, entries) {
  const kept = new Set();
  const waiting = [...entries];
  for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
    if (kept.has(file)) continue;
    kept.add(file);
    for (const [, specifier] of readFileSync(file, 'utf8').matchAll(SPECIFIER)) {
      const target = path.resolve(path.dirname(file), specifier).replace(/\.(?:js|ts)$/, '.d.ts');
      if (!existsSync(target)) throw new Error(`${file} refers to ${specifier}, which has no declarations`);
      waiting.push(target);
    }
  }
  prune(folder, kept);
}

function prune(folder, kept) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const file = path.join(folder, entry.name);
    if (entry.isDirectory()) prune(file, kept);
    else if (!kept.has(file)) rmSync(file);
  }
  if (readdirSync(folder).length === 0) rmSync(folder, { recursive: true });
}
