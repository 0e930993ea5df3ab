import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { writeWhole } from '../../../src/broker/persist.ts';

let folder: string;
beforeEach(() => (folder = mkdtempSync(path.join(tmpdir(), 'gemba-persist-'))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

it('where it cannot be written keeps what was there, and leaves nothing else', () => {
  const file = path.join(folder, 'cache.json');
  mkdirSync(file);
  writeFileSync(path.join(file, 'old'), 'old');
  expect(writeWhole(file, 'new')).toMatchObject({ syscall: 'rename' });
  expect(readFileSync(path.join(file, 'old'), 'utf8')).toBe('old');
  expect(readdirSync(folder)).toEqual(['cache.json']);
});

it('writes through no link that somebody has laid there, and for nobody else to read', () => {
  const file = path.join(folder, 'cache.json');
  const victim = path.join(folder, 'victim');
  writeFileSync(victim, 'untouched');
  symlinkSync(victim, file);
  symlinkSync(victim, `${file}.${process.pid}.tmp`);
  expect(writeWhole(file, 'new')).toBeNull();
  expect(readFileSync(victim, 'utf8')).toBe('untouched');
  expect(readFileSync(file, 'utf8')).toBe('new');
  expect(statSync(file).mode & 0o777).toBe(0o600);
});
