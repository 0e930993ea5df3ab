import { createHash } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { GembaError } from '../core/errors.ts';
import { decodeText, UnreadableText } from '../shared/decode-text.ts';
import { ConfigError } from './problems.ts';

/** One file of a configuration, with its text. */
export interface ConfigLayer {
  readonly path: string;
  readonly text: string;
}

/** The texts of a configuration: first its file, then those that it extends. */
export interface ConfigSource {
  readonly revision: string;
  readonly layers: readonly ConfigLayer[];
}

const MAX_BYTES = 1024 * 1024;

/** The text of one file of a configuration. Throws why it cannot be read. */
export function readConfigText(file: string): string {
  try {
    const stats = statSync(file);
    if (!stats.isFile()) throw unusable(file, 'this is a folder or a device, not a file');
    if (stats.size > MAX_BYTES) throw unusable(file, 'the file is larger than 1 MB');
    return decodeText(readFileSync(file));
  } catch (error) {
    if (error instanceof GembaError) throw error;
    if (error instanceof UnreadableText) throw unusable(file, `the file ${error.message}`);
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') {
      const message = `there is no file ${file}; create one with "npx gemba init"`;
      throw new GembaError('GEMBA_CONFIG_NOT_FOUND', message, { cause: error });
    }
    throw unusable(file, `the file cannot be read (${code})`, error);
  }
}

/** The configuration of a file that extends no other one; null where it may. */
export function singleSource(path: string, text: string): ConfigSource | null {
  // Looking for the word spares most processes the parser.
  return text.includes('extends') ? null : sourceOf([{ path, text }]);
}

export function sourceOf(layers: readonly ConfigLayer[]): ConfigSource {
  return { revision: revisionOf(layers.map(({ text }) => text)), layers };
}

/** The name of one state of a configuration's texts: 12 hex digits. */
export function revisionOf(texts: readonly string[]): string {
  const hash = createHash('sha256');
  for (const [index, text] of texts.entries()) hash.update(index === 0 ? text : `\0${text}`);
  return hash.digest('hex').slice(0, 12);
}

/** The revision after values in files of their own changed so many times, while the texts did not. */
export function nextRevision(revision: string): string {
  const [texts = '', count = '0'] = revision.split('-');
  return `${texts}-${Number(count) + 1}`;
}

/** The part of a revision that the texts alone make. */
export function textRevision(revision: string): string {
  return revision.split('-', 1)[0]!;
}

function unusable(file: string, message: string, cause?: unknown): ConfigError {
  return new ConfigError(file, [{ file, path: '', line: 1, column: 1, message }], { cause });
}
