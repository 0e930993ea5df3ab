/** Version of what links and brokers say to each other; rises with every change that an older side could not understand. */
export const PROTOCOL_VERSION = 2;

/** Longest line that is read: a hello with a thousand members is about 300 KB. */
const MAX_LINE = 4_000_000;

/**
 * Splits a byte stream into lines of JSON. `onLine` gets each whole line; `onOverflow` is called when a line is longer
 * than anything that makes sense.
 */
export function splitLines(onLine: (line: string) => void, onOverflow: () => void): (chunk: string) => void {
  let rest = '';
  return (chunk) => {
    rest += chunk;
    let start = 0;
    for (let end = rest.indexOf('\n'); end !== -1; end = rest.indexOf('\n', start)) {
      onLine(rest.slice(start, end));
      start = end + 1;
    }
    rest = rest.slice(start);
    if (rest.length > MAX_LINE) onOverflow();
  };
}
