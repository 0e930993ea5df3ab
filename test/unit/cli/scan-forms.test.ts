import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import * as zlib from 'node:zlib';
import { packTar } from 'modern-tar';
import { afterAll, describe, expect, it } from 'vitest';
import yazl from 'yazl';
import { ContentScan, LIMITS } from '../../../src/cli/scan/content.ts';
import { unescape } from '../../../src/cli/scan/escapes.ts';
import { Search } from '../../../src/cli/scan/finder.ts';
import { Findings } from '../../../src/cli/scan/findings.ts';
import { needlesOf } from '../../../src/cli/scan/forms.ts';
import { seededRandom } from '../../../src/core/clock.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'gemba-forms-'));
afterAll(() => rmSync(folder, { recursive: true }));

async function scan(
  value: string,
  content: Buffer | string,
  name = 'x',
  user: string | null = null,
): Promise<Findings> {
  const file = path.join(folder, 'file');
  writeFileSync(file, content);
  const findings = new Findings();
  const secret = { name: 'api/k', fingerprint: '00000000', value, user };
  await new ContentScan(new Search(needlesOf(secret)), findings, LIMITS).file(file, name);
  return findings;
}

async function found(value: string, content: Buffer | string, name?: string): Promise<string[]> {
  const { list, unfinished } = await scan(value, content, name);
  expect(unfinished).toEqual([]);
  return list.map(({ form, count }) => `${form} ${count}`);
}

const KEY = 'sk-live/Ab9+Zq=7&x"y';
const PASSWORD = 'p4ss word-Ünïcode';
const lorem = 'lorem ipsum, dolor sit amet; '.repeat(40);
const json = (text: string): string => JSON.stringify({ a: text });
const base64 = (text: string | Buffer): string => Buffer.from(text as string).toString('base64');
const url = encodeURIComponent;

function lines(text: string, width: number, end: string): string {
  return text.match(new RegExp(`.{1,${width}}`, 'g'))!.join(end);
}

function zip(entries: Record<string, Buffer | string>): Promise<Buffer> {
  const archive = new yazl.ZipFile();
  for (const [name, content] of Object.entries(entries)) archive.addBuffer(Buffer.from(content), name);
  archive.end();
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    archive.outputStream.on('data', (chunk: Buffer) => chunks.push(chunk));
    archive.outputStream.on('end', () => resolve(Buffer.concat(chunks)));
  });
}

describe('a scan finds a value', () => {
  it.each<[string, string, string | Buffer, string]>([
    ['escaped by JSON three times', KEY, json(json(json(KEY))), 'JSON-escaped'],
    [
      'escaped by JSON in a form in a page',
      KEY,
      `<a href="/?q=${url(json(KEY)).replaceAll("'", '&#39;')}&amp;b">`,
      'JSON-escaped',
    ],
    ['as \\u escapes in ASCII', PASSWORD, '"p4ss word-\\u00dcn\\u00efcode"', 'JSON-escaped'],
    ['as \\x escapes', KEY, 'sk-live\\x2fAb9\\x2BZq=7\\x26x\\"y', 'JSON-escaped'],
    ['with a pair of surrogates', 'smile-😀-secret', '"smile-\\ud83d\\ude00-secret"', 'JSON-escaped'],
    ['as numbers of HTML', KEY, 'sk-live&#x2F;Ab9&#43;Zq=7&#38;x&#34;y', 'HTML-escaped'],
    [
      'URL-encoded in small letters',
      PASSWORD,
      url(PASSWORD).toLowerCase().replace('p4ss', 'p4ss').replace('%c3%9cn', '%c3%9cn'),
      'URL-encoded',
    ],
    [
      'in a form, with a plus for a space',
      PASSWORD,
      new URLSearchParams({ p: PASSWORD }).toString(),
      'URL-encoded',
    ],
    ['as escape() wrote it', PASSWORD, 'p4ss%20word-%u00DCn%EFcode'.replace('%EF', '%u00EF'), 'URL-encoded'],
    ['in UTF-16 with a mark', PASSWORD, Buffer.from(`\uFEFF${lorem}${PASSWORD}`, 'utf16le'), 'as it is'],
    [
      'in UTF-16, big end first',
      PASSWORD,
      Buffer.from(`\uFEFF${lorem}${json(PASSWORD)}`, 'utf16le').swap16(),
      'as it is',
    ],
    [
      'in UTF-16 without a mark, escaped',
      KEY,
      Buffer.from(`${lorem}${json(KEY)}`, 'utf16le'),
      'JSON-escaped',
    ],
    [
      'in UTF-16 between other bytes',
      PASSWORD,
      Buffer.concat([Buffer.from(lorem), Buffer.from(PASSWORD, 'utf16le')]),
      'UTF-16',
    ],
    ['in Latin-1', PASSWORD, Buffer.from(`x ${PASSWORD} y`, 'latin1'), 'as it is'],
    ['in decomposed letters', PASSWORD, PASSWORD.normalize('NFD'), 'as it is'],
    ['in base64 of Latin-1', PASSWORD, base64(Buffer.from(`qa:${PASSWORD}`, 'latin1')), 'base64'],
    ['in base64 of UTF-16', PASSWORD, base64(Buffer.from(`a ${PASSWORD}`, 'utf16le')), 'base64'],
    ['in base64 of JSON', KEY, `{"text":"${base64(json(KEY))}"}`, 'base64'],
    ['in base64url of JSON', KEY, `a.${Buffer.from(json(KEY)).toString('base64url')}.b`, 'base64'],
    [
      'in base64 that JSON escaped',
      KEY,
      JSON.stringify({ a: base64(`>>>?${KEY}`) }).replaceAll('/', '\\/'),
      'base64',
    ],
    ['in base64 over lines of a mail', KEY, lines(base64(lorem + json(KEY)), 76, '\r\n'), 'JSON-escaped'],
    [
      'in base64 over lines of a certificate',
      KEY,
      `-----BEGIN X-----\n${lines(base64(lorem + KEY), 64, '\n')}\n-----END X-----`,
      'as it is',
    ],
    ['in base64 over lines in JSON', KEY, json(lines(base64(lorem + KEY), 76, '\r\n')), 'as it is'],
    [
      'in base64 within base64',
      PASSWORD,
      base64(`{"authorization":"Basic ${base64(`qa:${PASSWORD}`)}", "note": "${lorem}"}`),
      'base64',
    ],
    ['in hex', KEY, Buffer.from(KEY).toString('hex').toUpperCase(), 'hex'],
    [
      'in a part of a multipart body',
      KEY,
      `--x\r\ncontent-disposition: form-data; name="k"\r\n\r\n${KEY}\r\n--x--`,
      'as it is',
    ],
    [
      'in quoted-printable',
      PASSWORD,
      `Content-Transfer-Encoding: quoted-printable\r\n\r\np4ss word-=C3=9Cn=\r\n=C3=AFcode`,
      'quoted-printable',
    ],
    ['in a data address', KEY, `<img src="data:text/plain,${url(KEY)}">`, 'URL-encoded'],
  ])('%s', async (_, value, content, form) => {
    expect(await found(value, content)).toEqual([`${form} 1`]);
  });

  const har = JSON.stringify({
    log: { entries: [{ response: { content: { encoding: 'base64', text: base64(json(KEY) + lorem) } } }] },
  });
  const packed: [string, string, () => Buffer | string | Promise<Buffer | string>][] = [
    ['gzip', 'x', () => zlib.gzipSync(lorem + KEY)],
    ['two gzips behind each other', 'x', () => Buffer.concat([zlib.gzipSync(lorem), zlib.gzipSync(KEY)])],
    ['zlib', 'body.bin', () => zlib.deflateSync(lorem + KEY)],
    ['deflate', 'body.bin', () => zlib.deflateRawSync(lorem + KEY)],
    ['brotli', 'body.br', () => zlib.brotliCompressSync(lorem + KEY)],
    [
      'brotli in base64',
      'x',
      () => JSON.stringify({ body: base64(zlib.brotliCompressSync(randomText(300) + KEY)) }),
    ],
    ['tar', 'x.tar', () => tar({ 'a.txt': lorem, 'b/c.json': json(KEY) })],
    [
      'tar in gzip, with a zip in it',
      'x.tgz',
      async () => zlib.gzipSync(await tar({ 'a.zip': await zip({ 'k.txt': KEY }) })),
    ],
    ['a HAR file with a JSON answer', 'x.har', () => har],
    ['a HAR file in a zip', 'x.zip', () => zip({ 'har.har': har })],
    [
      'a page with a zip in it',
      'index.html',
      async () =>
        `<script>x = "data:application/zip;base64,${base64(await zip({ 'r.json': json(KEY) }))}"</script>`,
    ],
  ];
  const { zstdCompressSync } = zlib as { zstdCompressSync?: (text: string) => Buffer };
  if (zstdCompressSync) packed.push(['zstd', 'x', () => zstdCompressSync(lorem + KEY)]);
  it.each(packed)('in %s', async (_, name, content) => {
    expect(await found(KEY, await content(), name)).toEqual([expect.stringMatching(/ 1$/)]);
  });

  it('whatever escapes stand in it and around it', async () => {
    const random = seededRandom('escapes');
    const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!;
    const parts = [
      'ab',
      'Z9',
      '%41',
      '&amp;',
      '\\n',
      '\\u0041',
      '"',
      "'",
      '<',
      '&',
      '/',
      '+',
      '=',
      ' ',
      'é',
      '😀',
      '%',
      '\\',
      '#34;',
    ];
    const encoders: readonly ((text: string) => string)[] = [
      json,
      (text) =>
        json(text).replace(
          /[<>&'\u0080-\uFFFF]/g,
          (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`,
        ),
      (text) => `/?a=${url(text)}&b=1`,
      (text) => `<p title="x">${text.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`)}</p>`,
      (text) => `<${text}>`,
    ];
    for (let round = 0; round < 400; round++) {
      const value = `k3y-${Array.from({ length: 8 }, () => pick(parts)).join('')}-end`;
      let content = value;
      const times = Math.floor(random() * 4);
      for (let time = 0; time < times; time++)
        content = pick(encoders)(`${randomText(20)} ${content} ${randomText(9)}`);
      if (random() < 0.4)
        content = base64(`${randomText(Math.floor(random() * 90))}${content}${randomText(60)}`);
      const { list } = await scan(value, `${lorem}${content}${lorem}`);
      expect(list.length, JSON.stringify({ value, content })).toBeGreaterThan(0);
    }
  }, 60_000);

  it('across the pieces that a file is searched in, escaped and once', async () => {
    for (let shift = 0; shift < 24; shift += 3) {
      const content = `${'x"'.repeat(140_000).slice(shift)}${json(KEY)} ${'y\\n'.repeat(100_000)}`;
      expect(await found(KEY, content)).toEqual(['JSON-escaped 1']);
    }
  }, 60_000);
});

it('a scan finds nothing in other texts, and leaves none of them out', async () => {
  const random = Array.from({ length: 40 }, () => base64(randomText(200))).join('\n');
  const noise = `${random}${url(random)}${json(random)}${Buffer.from(random).toString('hex')}`;
  for (const text of [noise, lorem, har(noise)]) expect(await found(KEY, text)).toEqual([]);
  expect(await found(KEY, zlib.gzipSync(noise))).toEqual([]);
}, 60_000);

describe('unescape', () => {
  it('removes one level of all kinds, and says where each byte comes from', () => {
    const { bytes, origin, kindsIn } = unescape(Buffer.from('a\\u0041b%42c&lt;d'))!;
    expect(bytes.toString()).toBe('aAbBc<d');
    expect([0, 1, 2, 3, 4, 5, 6].map(origin)).toEqual([0, 1, 7, 8, 11, 12, 16]);
    expect(kindsIn(0, 1)).toEqual([]);
    expect(kindsIn(1, 4).toSorted()).toEqual(['JSON-escaped', 'URL-encoded']);
    expect(kindsIn(4, 5)).toEqual([]);
    expect(kindsIn(5, 7)).toEqual(['HTML-escaped']);
  });

  it('leaves what is no escape', () => {
    for (const text of ['', '100 % of it', 'a & b &unknown; &#; %4', 'plain'])
      expect(unescape(Buffer.from(text))).toBeNull();
    expect(unescape(Buffer.from('at the end \\'))).toBeNull();
  });
});

const letters = seededRandom('letters');

function randomText(length: number): string {
  const alphabet = 'abcdefghijklmnopqrstuvwxyz0123456789 ,.:{}-';
  return Array.from({ length }, () => alphabet[Math.floor(letters() * alphabet.length)]).join('');
}

function har(text: string): string {
  return JSON.stringify({ log: { text } });
}

async function tar(files: Record<string, Buffer | string>): Promise<Buffer> {
  const entries = Object.entries(files).map(([name, content]) => {
    const body = Buffer.from(content as string);
    return { header: { name, size: body.length, type: 'file' as const }, body: new Uint8Array(body) };
  });
  return Buffer.from(await packTar(entries));
}
