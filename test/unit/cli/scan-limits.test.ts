import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ContentScan, type Limits, LIMITS } from '../../../src/cli/scan/content.ts';
import { Findings } from '../../../src/cli/scan/findings.ts';
import { Search } from '../../../src/cli/scan/finder.ts';
import { needlesOf } from '../../../src/cli/scan/forms.ts';

const SECRET = { name: 'api/ci-1', fingerprint: '00000000', value: 'a-secret-of-the-tests', user: null };

let folder: string;
beforeEach(() => (folder = mkdtempSync(path.join(tmpdir(), 'gemba-limits-'))));
afterEach(() => rmSync(folder, { recursive: true }));

async function scan(content: Buffer, limits: Partial<Limits>): Promise<Findings> {
  const file = path.join(folder, 'x');
  writeFileSync(file, content);
  const findings = new Findings();
  const search = new Search(needlesOf(SECRET));
  await new ContentScan(search, findings, { ...LIMITS, ...limits }).file(file, 'x');
  return findings;
}

describe('what a scan reads of one file', () => {
  it('ends where it unpacks to too much, and says so', async () => {
    const bomb = gzipSync(gzipSync(Buffer.alloc(20_000_000)));
    expect(bomb.length).toBeLessThan(1000);
    const { unfinished, read } = await scan(bomb, { unpackedBytes: 1_000_000 });
    expect(unfinished).toEqual([
      { file: 'x', inner: [], why: 'it unpacks to more than a scan reads of one file' },
    ]);
    expect(read.bytes).toBeLessThan(1_100_000);
  });

  it('ends where there is too much inside it', async () => {
    const inner = `<i>${gzipSync('x'.repeat(50)).toString('base64').padEnd(80, 'A')}</i>`;
    const { unfinished } = await scan(Buffer.from(inner.repeat(10)), { innerFiles: 3 });
    expect(unfinished.at(-1)).toEqual({ file: 'x', inner: [], why: 'more than 3 files inside it' });
  });

  it('leaves out packed data that would not fit into memory, and searches the rest', async () => {
    const page = `<i>${gzipSync(Buffer.from(Array.from({ length: 5000 }, (_, at) => at % 251))).toString('base64')}</i>`;
    const { unfinished, list } = await scan(Buffer.from(`${page.padEnd(9_000)} ${SECRET.value}`), {
      heldBytes: 300,
    });
    expect(unfinished).toEqual([
      { file: 'x', inner: [], why: expect.stringContaining('the packed data at byte 3') },
    ]);
    expect(list).toMatchObject([{ file: 'x', secret: SECRET, count: 1 }]);
  });
});
