import { runCommand } from '../../harness/command.ts';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import yazl from 'yazl';

const KEY = 'sk-canary/7f3a9c+tail&"x"';
const PASSWORD = 'pa55 word-é-93aa10';
const URL_PASSWORD = 'in-address-4411';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'gemba-scan-'));
  const login = {
    auth: 'basic',
    endpoints: ['https://login.test'],
    keys: [{ name: 'pair', value: 'someone:of-the-pair-77' }],
  };
  const pool = {
    endpoints: [{ name: 'eu', url: 'https://eu.test', proxy: `http://me:${URL_PASSWORD}@proxy.test:3128` }],
    keys: [
      { name: 'ci-1', value: '${THE_KEY}' },
      { name: 'qa', fields: { username: 'qa-user', password: '${THE_PASSWORD}' } },
      { name: 'pin', value: 'x9z4' },
      { name: 'tiny', value: 'abc' },
    ],
  };
  writeFileSync(
    path.join(folder, 'gemba.config.json'),
    JSON.stringify({ name: 'shop', pools: { api: pool, login } }),
  );
  mkdirSync(path.join(folder, 'out'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const put = (name: string, content: Buffer | string): void => {
  const file = path.join(folder, 'out', name);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, content);
};

function zip(entries: Record<string, Buffer | string>): Promise<Buffer> {
  const archive = new yazl.ZipFile();
  for (const [name, content] of Object.entries(entries)) archive.addBuffer(Buffer.from(content), name);
  archive.end();
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    archive.outputStream.on('data', (chunk: Buffer) => chunks.push(chunk));
    archive.outputStream.on('end', () => resolve(Buffer.concat(chunks)));
    archive.outputStream.on('error', reject);
  });
}

interface Found {
  file: string;
  inner: string[];
  line: number | null;
  offset: number | null;
  key: string;
  fingerprint: string | null;
  form: string;
  count: number;
}
interface Result {
  code: number;
  text: string;
  findings: Found[];
  unfinished: { file: string; inner: string[]; why: string }[];
  clean: boolean;
}

async function run(...args: string[]): Promise<{ code: number; text: string }> {
  let text = '';
  const write = (more: string): void => void (text += more);
  const env = { THE_KEY: KEY, THE_PASSWORD: PASSWORD };
  const code = await runCommand('scan', args, { folder, env, print: write, warn: write });
  for (const secret of [KEY, PASSWORD, URL_PASSWORD, Buffer.from(KEY).toString('base64')]) {
    expect(text).not.toContain(secret);
  }
  return { code, text };
}

async function search(): Promise<Result> {
  const { code, text } = await run('out', '--json');
  return { code, text, ...(JSON.parse(text) as Omit<Result, 'code' | 'text'>) };
}

const filler = 'lorem ipsum dolor 0123456789 '.repeat(20_000);

describe('gemba scan', () => {
  it('says that nothing was found, and exits with 0', async () => {
    put('a.txt', filler);
    put('b.zip', await zip({ 'c.txt': 'harmless' }));
    const { code, text } = await run('out');
    expect(code).toBe(0);
    expect(text).toContain('Searched 2 files and 1 inside them for 6 secrets: none was found.');
    expect(text).toContain('Not searched for, since too short to be recognised: api/tiny');
  });

  it('tells file, line, byte and key, never the value', async () => {
    put('deep/log.txt', `${filler}\nfirst\nAuthorization: Bearer ${KEY}\nagain ${KEY}\n`);
    const { code, text } = await run('out');
    expect(code).toBe(1);
    const offset = filler.length + '\nfirst\nAuthorization: Bearer '.length;
    expect(text).toMatch(
      new RegExp(
        `^deep/log\\.txt:3 \\(byte ${offset}\\): the value of api/ci-1 \\[[0-9a-f]{8}\\], as it is, 2 times$`,
        'm',
      ),
    );
  });

  const basic = Buffer.from(`qa-user:${PASSWORD}`).toString('base64');
  it.each<[string, string | Buffer, string, string]>([
    ['URL-encoded', `?key=${encodeURIComponent(KEY)}`, 'api/ci-1', 'URL-encoded'],
    [
      'URL-encoded in small letters',
      encodeURIComponent(KEY).toLowerCase().replace('sk-c', 'sk-c'),
      'api/ci-1',
      'URL-encoded',
    ],
    ['URL-encoded twice', encodeURIComponent(encodeURIComponent(KEY)), 'api/ci-1', 'URL-encoded'],
    ['a form', new URLSearchParams({ p: PASSWORD }).toString(), 'api/qa (password)', 'URL-encoded'],
    ['JSON', JSON.stringify({ a: KEY }), 'api/ci-1', 'JSON-escaped'],
    ['JSON in JSON', JSON.stringify(JSON.stringify({ a: KEY })), 'api/ci-1', 'JSON-escaped'],
    ['JSON for HTML', JSON.stringify({ a: KEY }).replaceAll('&', '\\u0026'), 'api/ci-1', 'JSON-escaped'],
    ['HTML', 'sk-canary/7f3a9c+tail&amp;&quot;x&quot;', 'api/ci-1', 'HTML-escaped'],
    ['hex', Buffer.from(KEY).toString('hex'), 'api/ci-1', 'hex'],
    ['base64', Buffer.from(KEY).toString('base64'), 'api/ci-1', 'base64'],
    ['base64, one byte later', Buffer.from(`:${KEY}!`).toString('base64'), 'api/ci-1', 'base64'],
    ['base64, two bytes later', Buffer.from(`a:${KEY}`).toString('base64url'), 'api/ci-1', 'base64'],
    ['basic auth', `Basic ${basic}`, 'api/qa (password)', 'base64'],
    ['the password of a pair', 'password=of-the-pair-77', 'login/pair (password)', 'as it is'],
    ['an address', `https://me:${URL_PASSWORD}@proxy.test/x`, 'api/eu (its proxy)', 'as it is'],
    ['a word of its own', 'pin=x9z4;', 'api/pin', 'as it is'],
  ])('finds %s', async (_, content, key, form) => {
    put('x', Buffer.concat([Buffer.from(`${filler}\n`), Buffer.from(content)]));
    const { code, findings } = await search();
    expect(code).toBe(1);
    expect(findings).toMatchObject([{ file: 'x', inner: [], key, form, line: 2 }]);
  });

  it('takes a short value within a word for chance', async () => {
    put('x', 'ax9z4 x9z4b 0x9z40');
    expect(await search()).toMatchObject({ code: 0, clean: true });
  });

  it('looks into zips in zips, gzip, brotli and what pages carry in base64', async () => {
    const trace = await zip({
      'trace.network': `{"a":1}\n{"b":"${PASSWORD}"}`,
      'resources/x.bin': 'nothing',
    });
    const report = Buffer.from(JSON.stringify({ filler, at: [KEY] }).replaceAll('\\"', '"'));
    put('blob/report-1.zip', await zip({ 'resources/trace.zip': trace, 'report.jsonl': 'fine' }));
    put('body.har.gz', gzipSync(`${filler}${PASSWORD}`));
    put('body.br', brotliCompressSync(PASSWORD));
    put(
      'html/index.html',
      `<script>x = "data:application/zip;base64,${(await zip({ 'a.json': report })).toString('base64')}"</script>`,
    );
    put('page/raw.html', `<script>${deflateRawSync(report).toString('base64')}</script>`);
    put('page/zlib.html', `<i>${deflateSync(report).toString('base64')}</i>`);
    put('small.html', `<b>${(await zip({ 'a.txt': KEY })).toString('base64')}</b>`);
    const { code, findings, unfinished } = await search();
    expect(code).toBe(1);
    expect(unfinished).toEqual([]);
    const found = findings.map(({ file, inner, line, key }) => [file, inner.join(' > '), line, key]);
    expect(found).toEqual([
      ['blob/report-1.zip', 'resources/trace.zip > trace.network', 2, 'api/qa (password)'],
      ['body.br', 'brotli', 1, 'api/qa (password)'],
      ['body.har.gz', 'gzip', 1, 'api/qa (password)'],
      ['html/index.html', expect.stringMatching(/^base64 at byte \d+ > a\.json$/), 1, 'api/ci-1'],
      ['page/raw.html', expect.stringMatching(/^base64 at byte 8 > deflate$/), 1, 'api/ci-1'],
      ['page/zlib.html', expect.stringMatching(/^base64 at byte 3 > zlib$/), 1, 'api/ci-1'],
      ['small.html', expect.stringMatching(/^base64 at byte 3 > a\.txt$/), 1, 'api/ci-1'],
    ]);
  });

  it('finds what stands across the pieces that a file is read in, once', async () => {
    for (let shift = 0; shift < 30; shift++)
      put(`f${shift}`, `${'x'.repeat(65_536 - shift)}${KEY} ${'y'.repeat(70_000)}`);
    const { findings } = await search();
    expect(findings).toHaveLength(30);
    expect(findings.every(({ count }) => count === 1)).toBe(true);
  });

  it('finds a value in a name, and does not show it there', async () => {
    put(`shot-${URL_PASSWORD}.txt`, 'nothing');
    put('a.zip', await zip({ [`dir/${URL_PASSWORD}`]: 'nothing' }));
    const { findings } = await search();
    expect(findings.map(({ file, inner, line }) => [file, inner, line])).toEqual([
      ['a.zip', ['dir/[key api/eu (its proxy)]'], null],
      ['shot-[key api/eu (its proxy)].txt', [], null],
    ]);
  });

  it('does not call clean what it could not search', async () => {
    const whole = await zip({ 'a.txt': filler, 'b.txt': filler });
    put('cut.zip', whole.subarray(0, whole.length - 30));
    put('cut.gz', gzipSync(filler).subarray(0, 100));
    put('some.7z', Buffer.from('377abcaf271c0004', 'hex'));
    let nested = await zip({ 'core.txt': KEY });
    for (let depth = 0; depth < 12; depth++) nested = await zip({ [`level-${depth}.zip`]: nested });
    put('nested.zip', nested);
    const { code, clean, unfinished, findings } = await search();
    expect({ code, clean, findings }).toEqual({ code: 1, clean: false, findings: [] });
    expect(unfinished.map(({ file, why }) => [file, why])).toEqual([
      ['cut.gz', expect.stringContaining('unexpected end of file')],
      ['cut.zip', expect.stringContaining('End of central directory')],
      ['nested.zip', 'packed more than 8 times'],
      ['some.7z', '7z cannot be opened here'],
    ]);
    expect((await run('out')).text).toContain('none was found, but not everything could be searched.');
  });

  it('follows no link: what it leads to inside is met anyway, and of what is outside it says so', async () => {
    writeFileSync(path.join(folder, 'outside.txt'), KEY);
    put('inside/a.txt', 'nothing');
    symlinkSync('inside', path.join(folder, 'out/same'));
    symlinkSync('loop', path.join(folder, 'out/loop'));
    symlinkSync('gone', path.join(folder, 'out/broken'));
    expect(await search()).toMatchObject({ code: 0, notSearched: { links: 3 }, searched: { files: 1 } });
    symlinkSync(path.join(folder, 'outside.txt'), path.join(folder, 'out/link.txt'));
    symlinkSync(folder, path.join(folder, 'out/up'));
    const { code, unfinished, findings, clean } = await search();
    expect({ code, clean, findings }).toEqual({ code: 1, clean: false, findings: [] });
    expect(unfinished.map(({ file, why }) => `${file}: ${why}`)).toEqual([
      'link.txt: a link that leads out of the folder, which is not followed',
      'up: a link that leads out of the folder, which is not followed',
    ]);
  });

  it('leaves out the files that the keys come from, and says so', async () => {
    writeFileSync(path.join(folder, '.env'), `THE_KEY=${KEY}`);
    const { code, text } = await run('.');
    expect(code).toBe(0);
    expect(text).toContain('Not searched, since the keys come from there: .env, gemba.config.json');
  });

  it.each([
    [[], 'needs the folder to search'],
    [['out', '--jsn'], 'does not know "--jsn"; did you mean'],
    [['out', 'more'], 'takes no "more"'],
    [['nowhere'], 'There is no'],
  ])('misused with %j, says how', async (args, message) => {
    await expect(run(...args)).rejects.toThrow(message);
  });
});
