import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { crc32, deflateRawSync, gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import yazl from 'yazl';
import { ContentScan, LIMITS, type Limits } from '../../../src/cli/scan/content.ts';
import { Findings } from '../../../src/cli/scan/findings.ts';
import { Search } from '../../../src/cli/scan/finder.ts';
import { needlesOf } from '../../../src/cli/scan/forms.ts';
import { walk } from '../../../src/cli/scan/walk.ts';

const SECRET = { name: 'api/ci-1', fingerprint: '00000000', value: 'canary-of-the-bombs', user: null };
/** Small ones, so that a test is quick: what counts is that each is kept. */
const SMALL: Partial<Limits> = {
  unpackedBytes: 30e6,
  freeBytes: 10e6,
  ratio: 100,
  heldBytes: 4e6,
  innerFiles: 500,
};

let folder: string;
beforeEach(() => (folder = mkdtempSync(path.join(tmpdir(), 'gemba-bombs-'))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function scan(content: Buffer, limits: Partial<Limits> = SMALL): Promise<Findings> {
  const file = path.join(folder, 'x.zip');
  writeFileSync(file, content);
  const findings = new Findings();
  await new ContentScan(new Search(needlesOf(SECRET)), findings, { ...LIMITS, ...limits }).file(
    file,
    'x.zip',
  );
  return findings;
}

function zip(entries: readonly (readonly [name: string, content: Buffer])[]): Promise<Buffer> {
  const archive = new yazl.ZipFile();
  for (const [name, content] of entries) archive.addBuffer(content, name);
  archive.end();
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    archive.outputStream.on('data', (chunk: Buffer) => chunks.push(chunk));
    archive.outputStream.on('end', () => resolve(Buffer.concat(chunks)));
  });
}

interface Raw {
  readonly name: Buffer;
  /** Where its local header is. */
  readonly at: number;
  readonly packed: number;
  readonly unpacked: number;
  readonly crc: number;
  readonly flags?: number;
  readonly method?: number;
}

/** A zip by hand: its directory may say anything (APPNOTE 4.3). */
function rawZip(data: Buffer, entries: readonly Raw[], count = entries.length): Buffer {
  const directory = entries.map(({ name, at, packed, unpacked, crc, flags = 0, method = 8 }) => {
    const entry = Buffer.alloc(46);
    entry.writeUInt32LE(0x02014b50, 0);
    entry.writeUInt16LE(flags, 8);
    entry.writeUInt16LE(method, 10);
    entry.writeUInt32LE(crc, 16);
    entry.writeUInt32LE(packed, 20);
    entry.writeUInt32LE(unpacked, 24);
    entry.writeUInt16LE(name.length, 28);
    entry.writeUInt32LE(at, 42);
    return Buffer.concat([entry, name]);
  });
  const listed = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(count, 8);
  end.writeUInt16LE(count, 10);
  end.writeUInt32LE(listed.length, 12);
  end.writeUInt32LE(data.length, 16);
  return Buffer.concat([data, listed, end]);
}

function local(content: Buffer, packed: Buffer): Buffer {
  const header = Buffer.alloc(30);
  header.writeUInt32LE(0x04034b50, 0);
  header.writeUInt16LE(8, 8);
  header.writeUInt32LE(packed.length, 18);
  header.writeUInt32LE(content.length, 22);
  return Buffer.concat([header, packed]);
}

const crcOf = (content: Buffer): number => (crc32 as ((data: Buffer) => number) | undefined)?.(content) ?? 0;

describe('an archive that wants to be endless', { timeout: 60_000 }, () => {
  it('ends at what a file of its size may unpack to, and is not called clean', async () => {
    const bomb = gzipSync(Buffer.alloc(60_000_000));
    const { unfinished, read } = await scan(bomb);
    expect(unfinished).toMatchObject([
      { file: 'x.zip', why: 'it unpacks to more than a scan reads of one file' },
    ]);
    expect(read.bytes).toBeLessThan(11e6);
    expect((await scan(gzipSync(Buffer.alloc(9_000_000)))).unfinished).toEqual([]);
  });

  it('by entries that are all the same bytes', async () => {
    const content = Buffer.alloc(5_000_000, 'a');
    const packed = deflateRawSync(content);
    const data = local(content, packed);
    const crc = crcOf(content);
    const entries = Array.from({ length: 400 }, (_, index) => {
      return { name: Buffer.from(`e${index}`), at: 0, packed: packed.length, unpacked: content.length, crc };
    });
    const { unfinished, read } = await scan(rawZip(data, entries));
    expect(unfinished.map(({ why }) => why)).toEqual(['it unpacks to more than a scan reads of one file']);
    expect(read.bytes).toBeLessThan(31e6);
  });

  it('by archives in archives, deeper than anybody packs', async () => {
    let inner: Buffer = Buffer.from(SECRET.value);
    for (let depth = 0; depth < 20; depth++) inner = await zip([[`${depth}.zip`, inner]]);
    const { unfinished } = await scan(inner);
    expect(unfinished.map(({ why }) => why)).toEqual(['packed more than 8 times']);
  });

  it('by archives in archives that are each held in memory', async () => {
    const noise = randomBytes(1_500_000);
    let inner = await zip([['noise', noise]]);
    for (let depth = 0; depth < 4; depth++)
      inner = await zip([
        ['pad', Buffer.alloc(10)],
        ['inner.zip', inner],
      ]);
    const { unfinished } = await scan(inner, { ...SMALL, heldBytes: 4e6 });
    expect(unfinished.map(({ why }) => why)).toEqual([
      expect.stringMatching(/^a zip of more than \d MiB inside another file$/),
    ]);
    expect((await scan(inner, SMALL)).unfinished).toHaveLength(1);
    expect((await scan(inner, { ...SMALL, heldBytes: 40e6 })).unfinished).toEqual([]);
  });

  it('by a directory that says more than there is, or other things', async () => {
    const content = Buffer.from(SECRET.value);
    const packed = deflateRawSync(content);
    const data = local(content, packed);
    const good = {
      name: Buffer.from('a'),
      at: 0,
      packed: packed.length,
      unpacked: content.length,
      crc: crcOf(content),
    };
    for (const broken of [
      rawZip(data, [good], 60_000),
      rawZip(data, [{ ...good, at: 0xfffffff0 }]),
      rawZip(data, [{ ...good, packed: 0xffffff00 }]),
      rawZip(data, [{ ...good, unpacked: 5 }]),
      rawZip(data, [{ ...good, flags: 1 }]),
      rawZip(data, [{ ...good, method: 99 }]),
      Buffer.concat([data, Buffer.from('PK\u0005\u0006')]),
    ]) {
      const { unfinished, list } = await scan(broken);
      expect(unfinished.length + list.length).toBeGreaterThan(0);
    }
    expect((await scan(rawZip(data, [good]))).list).toHaveLength(1);
  });

  it('by more entries than are looked at', async () => {
    const entries = Array.from({ length: 700 }, (_, index) => [`${index}`, Buffer.from('x')] as const);
    const { unfinished } = await scan(await zip(entries));
    expect(unfinished.at(-1)?.why).toBe('more than 500 files inside it');
  });

  it('with names that lead elsewhere is searched, and nothing is written anywhere', async () => {
    const content = Buffer.from(SECRET.value);
    const packed = deflateRawSync(content);
    const names = [
      '../../../../tmp/gemba-escaped',
      '/tmp/gemba-escaped',
      'C:\\x',
      'a\u0000b',
      '\u001B[2J',
      '..',
      '',
    ];
    const entries = names.map((name) => {
      return {
        name: Buffer.from(name),
        at: 0,
        packed: packed.length,
        unpacked: content.length,
        crc: crcOf(content),
      };
    });
    const { list, unfinished } = await scan(rawZip(local(content, packed), entries));
    expect(list.length + unfinished.length).toBeGreaterThanOrEqual(names.length);
  });
});

describe.skipIf(process.platform === 'win32')('a folder of artifacts', () => {
  it('with pipes, sockets, devices and links out of it is walked to its end, and each is told', async () => {
    const top = path.join(folder, 'out');
    mkdirSync(path.join(top, 'deep/er'), { recursive: true });
    spawnSync('mkfifo', [path.join(top, 'pipe')]);
    const server = createServer().listen(path.join(top, 'socket'));
    await new Promise((resolve) => server.once('listening', resolve));
    symlinkSync('/dev/zero', path.join(top, 'zero'));
    symlinkSync('..', path.join(top, 'deep/up'));
    symlinkSync('/etc', path.join(top, 'deep/er/etc'));
    symlinkSync(`${top}-beside`, path.join(top, 'broken'));
    mkdirSync(`${top}-else`);
    symlinkSync(`${top}-else`, path.join(top, 'else'));
    const told: string[] = [];
    for await (const walked of walk(top)) told.push(`${path.relative(top, walked.path)}: ${walked.is}`);
    server.close();
    expect(told).toEqual([
      'broken: link',
      'deep/er/etc: unreadable',
      'deep/up: link',
      'else: unreadable',
      'pipe: unreadable',
      'socket: unreadable',
      'zero: unreadable',
    ]);
  });

  it('deeper than a path can be is told where it goes on', async () => {
    const made = spawnSync(
      'bash',
      ['-c', 'for i in $(seq 30); do mkdir "$0" && cd "$0" || exit 1; done', 'd'.repeat(200)],
      { cwd: folder },
    );
    expect(made.status).toBe(0);
    const told = [];
    for await (const { is } of walk(folder)) told.push(is);
    expect(told).toEqual(['unreadable']);
    spawnSync('rm', ['-rf', folder]);
    mkdirSync(folder, { recursive: true });
  });
});
