// The licenses of packages that are bundled, which ask to be kept with their code.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

export function writeLicenses(folder, output) {
  const files = output.flatMap((chunk) => chunk.moduleIds ?? []);
  const packages = new Set(
    files.flatMap((file) => /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(file)?.[0] ?? []),
  );
  const texts = [...packages]
    .toSorted((a, b) => a.localeCompare(b))
    .map((home) => {
      const { name, version } = JSON.parse(readFileSync(path.join(home, 'package.json'), 'utf8'));
      const license = readdirSync(home).find((file) => /^licen[cs]e(?:\.|$)/i.test(file));
      if (license === undefined) throw new Error(`${name} is bundled and has no license file`);
      return `${name} ${version}\n\n${readFileSync(path.join(home, license), 'utf8').trim()}\n`;
    });
  if (texts.length > 0)
    writeFileSync(path.join(folder, 'licenses.txt'), texts.join(`\n${'-'.repeat(80)}\n\n`));
}
