import { closeSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import { hostname } from 'node:os';
import path from 'node:path';
import { systemClock } from '../../core/clock.ts';
import type { CollectedResult, CollectedTest } from './run-state.ts';
import type {
  BeganLine,
  CutLine,
  EndedLine,
  JournalHead,
  JournalResult,
  JournalTest,
} from './journal-format.ts';
import { isOver, journalsIn } from './journal-files.ts';

const FLUSH_MS = 250;
const FLUSH_LENGTH = 64 * 1024;
/** Nothing more is written beyond this: a run without end must not fill the disk. */
const MAX_LENGTH = 512 * 1024 * 1024;

/**
 * The run so far, on disk: no hook is called when a run is killed. It is written every quarter of a second, and removed when
 * the report is written.
 */
export class Journal {
  readonly #file: string;
  readonly #descriptor: number;
  #pending = '';
  #length = 0;
  #timer: NodeJS.Timeout | undefined;

  /** Throws where the folder cannot be written. */
  constructor(folder: string, head: Omit<JournalHead, 'journal' | 'host' | 'pid'>) {
    const { pid } = process;
    mkdirSync(folder, { recursive: true });
    this.#file = path.join(folder, `journal-${head.startedAt.toString(36)}-${pid}.ndjson`);
    this.#descriptor = openSync(this.#file, 'a');
    const whole: JournalHead = { journal: 'gemba-journal/1', ...head, host: hostname(), pid };
    this.#add(JSON.stringify(whole));
    this.#flush();
  }

  began(test: JournalTest, retry: number, worker: number): void {
    const { id, title, file, line, project, tags } = test;
    const began: BeganLine = {
      began: { id, title, file, line, project, tags },
      retry,
      worker,
      at: systemClock(),
    };
    this.#add(JSON.stringify(began));
  }

  /** `record`: the text that the worker attached. */
  ended(test: CollectedTest, seen: CollectedResult, record: string | null): void {
    const { retry, status, failed, crashed, startedAt, durationMs, shard, worker, errors, trace } = seen;
    const facts = { retry, status, failed, crashed, startedAt, durationMs, shard, worker };
    const result: JournalResult = { ...facts, errors, trace };
    const { id, status: outcome } = test;
    const head: Omit<EndedLine, 'record'> = { ended: id, at: systemClock(), outcome, result };
    const body = record?.includes('\n') ? JSON.stringify(JSON.parse(record)) : record;
    this.#add(`${JSON.stringify(head).slice(0, -1)},"record":${body}}`);
  }

  /** Ends the journal. It is kept where the report was not written, else removed, with those of earlier runs that ended. */
  close(isReported: boolean): void {
    this.#flush();
    closeSync(this.#descriptor);
    if (!isReported) return;
    rmSync(this.#file, { force: true });
    for (const file of journalsIn(path.dirname(this.#file))) if (isOver(file)) rmSync(file, { force: true });
  }

  #add(line: string): void {
    if (this.#length > MAX_LENGTH) return;
    this.#length += line.length + 1;
    const cut: CutLine = { cut: true };
    this.#pending += `${this.#length > MAX_LENGTH ? JSON.stringify(cut) : line}\n`;
    if (this.#pending.length > FLUSH_LENGTH) this.#flush();
    else this.#timer ??= setTimeout(() => this.#flush(), FLUSH_MS).unref();
  }

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const text = this.#pending;
    this.#pending = '';
    try {
      if (text !== '') writeSync(this.#descriptor, text);
    } catch {
      // A full disk ends the journal, not the run.
      this.#length = Infinity;
    }
  }
}
