import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';

/** What a file that one process writes for the next may hold at most. */
const MAX_BYTES = 256 * 1024 * 1024;

/**
 * The text of a regular file. Throws for anything else: reading a named pipe would wait for ever for somebody to write it,
 * and some devices never end.
 */
export function readRegularSync(file: string, maxBytes: number = MAX_BYTES): string {
  const { O_RDONLY, O_NONBLOCK } = constants;
  const descriptor = openSync(file, O_RDONLY | O_NONBLOCK);
  try {
    const stat = fstatSync(descriptor);
    if (!stat.isFile()) throw new Error(`${file} is not a regular file`);
    if (stat.size > maxBytes) throw new Error(`${file} is larger than ${maxBytes} bytes`);
    return readFileSync(descriptor, 'utf8');
  } finally {
    closeSync(descriptor);
  }
}
