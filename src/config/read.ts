import { createHash } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { GembaError } from '../core/errors.ts';
import { ConfigError } from './problems.ts';

const MAX_BYTES = 1024 * 1024;

/** The text of a config file, or an error that says why there is none. */
export function readConfigText(file: string): string {
  try {
    const stats = statSync(file);
    if (!stats.isFile()) throw unusable(file, 'this is a folder or a device, not a file');
    if (stats.size > MAX_BYTES) throw unusable(file, 'the file is larger than 1 MB; a configuration is not');
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (error instanceof GembaError) throw error;
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') {
      const message = `there is no file ${file}; create one with "npx gemba init"`;
      throw new GembaError('GEMBA_CONFIG_NOT_FOUND', message, { cause: error });
    }
    throw unusable(file, `the file cannot be read (${code})`, error);
  }
}

/** The name of one state of a config file. */
export function revisionOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 12);
}

function unusable(file: string, message: string, cause?: unknown): ConfigError {
  return new ConfigError(file, [{ file, path: '', line: 1, column: 1, message }], { cause });
}
