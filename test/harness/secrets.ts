import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { gunzipSync, inflateRawSync } from 'node:zlib';

export interface Leak {
  /** Path below the folder; the entry of a zip follows after `!`. */
  readonly file: string;
  /** The name under which the secret was given. */
  readonly secret: string;
  readonly form: 'raw' | 'base64' | 'url-encoded' | 'json';
}

interface Needle {
  readonly secret: string;
  readonly form: Leak['form'];
  readonly bytes: Buffer;
}

/**
 * Searches every file below a folder for secrets: as they are, in base64 (at any offset, also the URL alphabet),
 * URL-encoded and JSON-escaped; zips are opened, also zips in zips and those that an HTML page carries, gzip likewise.
 * Links to folders (node_modules) are not followed.
 */
export async function findSecrets(folder: string, secrets: Record<string, string>): Promise<Leak[]> {
  const needles = Object.entries(secrets).flatMap(([secret, value]) => formsOf(secret, value));
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name));
  const leaks: Leak[] = [];
  for (const file of files.toSorted()) {
    leaks.push(...search(path.relative(folder, file), await readFile(file), needles));
  }
  return leaks;
}

function formsOf(secret: string, value: string): Needle[] {
  if (value.length < 6)
    throw new Error(`The secret ${secret} is too short to be searched for without false alarms`);
  const forms: [Leak['form'], string][] = [
    ['raw', value],
    ['url-encoded', encodeURIComponent(value)],
    ['url-encoded', new URLSearchParams({ v: value }).toString().slice(2)],
    ['json', JSON.stringify(value).slice(1, -1)],
    ...base64Forms(value).map((form): [Leak['form'], string] => ['base64', form]),
  ];
  const different = forms.filter(
    ([, text], index) => forms.findIndex((other) => other[1] === text) === index,
  );
  return different.map(([form, text]) => ({ secret, form, bytes: Buffer.from(text) }));
}

/** What base64 of a longer text holds of the value, for each offset of it: the characters that no neighbour changes. */
function base64Forms(value: string): string[] {
  const bytes = Buffer.from(value);
  return [0, 1, 2].flatMap((offset) => {
    const shifted = Buffer.concat([Buffer.alloc(offset), bytes]);
    const first = Math.ceil((offset * 8) / 6);
    const last = Math.floor((shifted.length * 8) / 6);
    const inner = shifted.toString('base64').slice(first, last);
    return [inner, inner.replaceAll('+', '-').replaceAll('/', '_')];
  });
}

function search(file: string, content: Buffer, needles: readonly Needle[]): Leak[] {
  const found = needles.filter(({ bytes }) => content.includes(bytes));
  const leaks: Leak[] = found.map(({ secret, form }) => ({ file, secret, form }));
  for (const [name, inner] of innerFiles(content)) leaks.push(...search(`${file}!${name}`, inner, needles));
  return leaks;
}

function innerFiles(content: Buffer): [string, Buffer][] {
  if (content.subarray(0, 4).toString('latin1') === 'PK\u0003\u0004') return unzip(content);
  if (content.subarray(0, 3).equals(GZIP)) return [['gunzipped', gunzipSync(content)]];
  // base64 of a zip begins with UEsDB, of gzip with H4sI
  const embedded = content
    .toString('latin1')
    .matchAll(/(?<![A-Za-z0-9+/])(?:UEsDB|H4sI)[A-Za-z0-9+/=]{40,}/g);
  return [...embedded].map(([text], index) => [`embedded-${index}`, Buffer.from(text, 'base64')]);
}

const GZIP = Buffer.from([0x1f, 0x8b, 0x08]);
const END_OF_DIRECTORY = 0x06054b50;

/** The entries of a zip, by its central directory (APPNOTE 4.3); entries are stored or deflated. */
function unzip(zip: Buffer): [string, Buffer][] {
  let end = zip.length - 22;
  while (end >= 0 && zip.readUInt32LE(end) !== END_OF_DIRECTORY) end--;
  if (end < 0) throw new Error('A zip without an end of its directory');
  const entries: [string, Buffer][] = [];
  let at = zip.readUInt32LE(end + 16);
  for (let left = zip.readUInt16LE(end + 10); left > 0; left--) {
    const nameLength = zip.readUInt16LE(at + 28);
    const name = zip.toString('utf8', at + 46, at + 46 + nameLength);
    entries.push([name, entryData(zip, at)]);
    at += 46 + nameLength + zip.readUInt16LE(at + 30) + zip.readUInt16LE(at + 32);
  }
  return entries;
}

function entryData(zip: Buffer, at: number): Buffer {
  const method = zip.readUInt16LE(at + 10);
  const size = zip.readUInt32LE(at + 20);
  const local = zip.readUInt32LE(at + 42);
  const from = local + 30 + zip.readUInt16LE(local + 26) + zip.readUInt16LE(local + 28);
  const data = zip.subarray(from, from + size);
  if (method === 0) return data;
  if (method === 8) return inflateRawSync(data);
  throw new Error(`A zip entry with method ${method}, which is neither stored nor deflated`);
}
