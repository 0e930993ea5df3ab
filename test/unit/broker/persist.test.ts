import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { writeWhole } from '../../../src/broker/persist.ts';

let folder: string;
beforeEach(() => (folder = mkdtempSync(path.join(tmpdir(), 'gemba-persist-'))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

it.skipIf(!existsSync('/dev/full'))(
  'on a full disk keeps the old file whole, and leaves nothing else',
  () => {
    const file = path.join(folder, 'cache.json');
    expect(writeWhole(file, 'old')).toBeNull();
    symlinkSync('/dev/full', `${file}.${process.pid}.tmp`);
    expect(writeWhole(file, 'new')).toMatchObject({ code: 'ENOSPC' });
    expect(readFileSync(file, 'utf8')).toBe('old');
    expect(readdirSync(folder)).toEqual(['cache.json']);
  },
);
