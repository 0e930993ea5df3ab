import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { GembaError } from '../core/errors.ts';
import { secretFile } from '../shared/local-sockets.ts';
import { privateFolder, privateFolders, readPrivate } from '../shared/private-folder.ts';
import { startOf } from '../shared/processes.ts';
import { writeWholeSync } from '../shared/write-whole.ts';
import { type BrokerIdentity, newSecret } from '../wire/greeting.ts';

/** The secret by which this broker proves whose it is, in a file that its user alone can read. */
export class BrokerSecret {
  readonly text: string = newSecret();
  /** A broker before this one left its own: it did not end by itself. */
  readonly isAfterCrash: boolean;
  readonly #name: string;
  readonly #content: string;
  #file = '';

  /** Throws where there is no place for the file. */
  constructor(project: string) {
    this.#name = secretFile(project);
    const identity: BrokerIdentity = { secret: this.text, pid: process.pid, start: startOf('self') ?? '' };
    this.#content = JSON.stringify(identity);
    this.isAfterCrash = [...privateFolders()].some((folder) => existsSync(join(folder, this.#name)));
    this.#write();
  }

  /** Where it is: made anew where something has deleted it. */
  get file(): string {
    if (readPrivate(this.#file) !== this.#content) this.#write();
    return this.#file;
  }

  close(): void {
    if (readPrivate(this.#file) === this.#content) rmSync(this.#file, { force: true });
  }

  #write(): void {
    let cause: unknown;
    for (const folder of privateFolders()) {
      try {
        this.#file = join(folder, this.#name);
        return writeWholeSync(this.#file, this.#content, { mode: 0o600 });
      } catch (error) {
        // Its disk may be full; another folder may lie in memory.
        cause = error;
      }
    }
    throw new GembaError(
      'GEMBA_BROKER_UNREACHABLE',
      `No file can be written in ${privateFolder()}, so that the broker cannot prove whose it is.`,
      { cause },
    );
  }
}
