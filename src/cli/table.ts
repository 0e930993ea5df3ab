import { plainLine } from '../shared/sanitize.ts';

const RESET = '\u001B[0m';
const GAP = '  ';

/** A cell of a table. Colours are added after its width is known. */
export interface Cell {
  readonly text: string;
  /** An SGR code, such as 31 for red. */
  readonly colour?: number | undefined;
}

export interface TableOptions {
  readonly indent?: string;
  readonly colours?: boolean;
}

/** Rows as aligned plain text, each line ended; the last column is not padded. Empty cells read `-`. */
export function table(
  head: readonly string[],
  rows: readonly (readonly (string | Cell)[])[],
  { indent = '', colours = false }: TableOptions = {},
): string {
  const lines = [head, ...rows].map((row) => row.map(toCell));
  const widths = head.map((_, column) => Math.max(...lines.map((line) => line[column]?.text.length ?? 0)));
  return lines.map((line) => `${indent}${aligned(line, widths, colours)}\n`).join('');
}

function toCell(given: string | Cell): Cell {
  const cell = typeof given === 'string' ? { text: given } : given;
  return { ...cell, text: plainLine(cell.text) || '-' };
}

function aligned(line: readonly Cell[], widths: readonly number[], colours: boolean): string {
  const cells = line.map(({ text, colour }, column) => {
    const shown = colours && colour !== undefined ? `\u001B[${colour}m${text}${RESET}` : text;
    const rest = column === line.length - 1 ? 0 : (widths[column] ?? 0) - text.length;
    return shown + ' '.repeat(Math.max(0, rest));
  });
  return cells.join(GAP);
}
