/** Version of what links and brokers say to each other; rises with every change that an older side could not understand. */
export const PROTOCOL_VERSION = 5;

/** Longest line that is read: the largest configuration makes a hello of about 100 MB. */
export const MAX_LINE = 256 * 1024 * 1024;
/** Longest line of a process that has not proved yet that it belongs here. */
export const MAX_STRANGERS_LINE = 4_096;

/** Every character but those of ASCII, as UTF-16 has it. */
const BEYOND_ASCII = /[\u0080-\uffff]/g;

/**
 * A message as a line, in ASCII: one character beyond it, as in `file › title`, would make a text of two bytes a character
 * of all that is read with it, and reading that takes half as long again. `rest` has further fields of it, one at least.
 */
export function toLine(message: object, rest?: object): string {
  const json = JSON.stringify(message);
  // Joined as texts: a copy of an object costs more than its text.
  const whole = rest === undefined ? json : `${json.slice(0, -1)},${JSON.stringify(rest).slice(1)}`;
  return `${whole.replace(BEYOND_ASCII, escaped)}\n`;
}

function escaped(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/**
 * Splits a byte stream into lines of JSON. `onLine` gets each whole line; `onOverflow` is called when a line is longer
 * than anything that makes sense.
 */
export function splitLines(
  onLine: (line: string) => void,
  onOverflow: () => void,
  longest: () => number = () => MAX_LINE,
): (chunk: string) => void {
  // Pieces, not one text: looking through what came before again and again would cost the more the slower it comes.
  let pieces: string[] = [];
  let length = 0;
  return (chunk) => {
    let start = 0;
    for (let end = chunk.indexOf('\n'); end !== -1; end = chunk.indexOf('\n', start)) {
      const line = chunk.slice(start, end);
      onLine(length === 0 ? line : pieces.join('') + line);
      pieces = [];
      length = 0;
      start = end + 1;
    }
    if (start === chunk.length) return;
    pieces.push(start === 0 ? chunk : chunk.slice(start));
    length += chunk.length - start;
    if (length > longest()) onOverflow();
  };
}
