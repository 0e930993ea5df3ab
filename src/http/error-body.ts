/** What an answer's body says about its error, over the shapes that vendors use. */
export interface ErrorBody {
  /** Every code that it names: `code`, `type`, `status`, `reason`, and the names of quotas. */
  readonly codes: ReadonlySet<string>;
  readonly message: string;
  /** How long it asks to wait (Google's RetryInfo), in milliseconds. */
  readonly retryDelayMs: number | null;
}

/** Longer bodies are cut: an error says what it is at its beginning, and nobody wants a download to be judged. */
export const MAX_BODY_BYTES = 65_536;

const CODE_FIELDS = ['code', 'type', 'status', 'reason', 'error_code', 'quotaId'];
const LIST_FIELDS = ['details', 'errors', 'violations'];
const INNER_FIELDS = ['error', 'innererror', 'inner_error', ...LIST_FIELDS];
const MAX_DEPTH = 6;
const LOOSE_CODE = new RegExp(`"(?:${CODE_FIELDS.join('|')})"\\s*:\\s*"([^"]{1,100})"`, 'g');
const SECONDS = /^(\d+(?:\.\d+)?)s$/;

/** Reads a body that may be JSON, a list of JSON (Gemini's streams), or any text. */
export function readErrorBody(text: string): ErrorBody {
  const found: CollectedCodes = { codes: new Set(), message: '', retryDelayMs: null };
  const parsed = parse(text);
  if (parsed === undefined) {
    // Cut off, or within other text: what looks like a code is one.
    for (const [, code] of text.matchAll(LOOSE_CODE)) found.codes.add(code!);
    return { ...found, message: text };
  }
  collect(parsed, found, 0);
  return found;
}

interface CollectedCodes {
  readonly codes: Set<string>;
  message: string;
  retryDelayMs: number | null;
}

function collect(value: unknown, found: CollectedCodes, depth: number): void {
  if (depth > MAX_DEPTH || typeof value !== 'object' || value === null) return;
  if (Array.isArray(value)) {
    for (const item of value.slice(0, 20)) collect(item, found, depth + 1);
    return;
  }
  const fields = value as Record<string, unknown>;
  for (const name of CODE_FIELDS) {
    const code = fields[name];
    if (typeof code === 'string' || typeof code === 'number') found.codes.add(String(code));
  }
  const { message, error, retryDelay } = fields;
  for (const said of [message, error]) if (typeof said === 'string') found.message ||= said;
  const seconds = typeof retryDelay === 'string' ? SECONDS.exec(retryDelay)?.[1] : undefined;
  if (seconds !== undefined) found.retryDelayMs = Math.max(found.retryDelayMs ?? 0, Number(seconds) * 1000);
  for (const name of INNER_FIELDS) collect(fields[name], found, depth + 1);
}

function parse(text: string): unknown {
  if (!/^\s*[[{]/.test(text)) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
