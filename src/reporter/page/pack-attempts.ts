import { firstLine, shorten } from '../../shared/format.ts';
import type { ReportAttemptError, ReportResult } from '../report/model.ts';
import type { PackedAttempt, PackedAttemptError } from './data-format.ts';
import { safeLink } from './links.ts';
import { StringTable } from './string-table.ts';

/** Characters of error messages and code that the page holds in full. */
const MAX_TEXT = 600_000;
/** Beyond that, of their first lines. */
const MAX_FIRST_LINES = 150_000;
const FIRST_LINE = 160;

/**
 * What a failed attempt shows of itself beside its requests: its errors, and where its trace is. It is bounded, since ten thousand
 * tests may fail, each with another text; tests that come first in the page’s list get their share first.
 */
export class AttemptPacker {
  readonly texts: StringTable = new StringTable();
  readonly traces: StringTable = new StringTable();
  readonly #files: StringTable;
  #textLeft = MAX_TEXT;
  #linesLeft = MAX_FIRST_LINES;

  constructor(files: StringTable) {
    this.#files = files;
  }

  pack({ errors, trace }: ReportResult): PackedAttempt {
    return [errors.map((error) => this.#error(error)), this.traces.indexOrNone(safeLink(trace))];
  }

  #error({ message, snippet, file, line, column }: ReportAttemptError): PackedAttemptError {
    const said = this.#text(message) ?? this.#firstLine(message);
    return [
      this.texts.indexOrNone(said),
      snippet === '' ? -1 : this.texts.indexOrNone(this.#text(snippet)),
      file === null ? -1 : this.#files.index(file),
      line ?? 0,
      column ?? 0,
    ];
  }

  #text(text: string): string | null {
    if (this.texts.has(text)) return text;
    if (text.length > this.#textLeft) return null;
    this.#textLeft -= text.length;
    return text;
  }

  #firstLine(text: string): string | null {
    const line = shorten(firstLine(text), FIRST_LINE);
    if (this.texts.has(line)) return line;
    if (line.length > this.#linesLeft) return null;
    this.#linesLeft -= line.length;
    return line;
  }
}
