import { isObject, parseJson } from '../shared/json.ts';

type Fields = Readonly<Record<string, unknown>>;

/** A longer answer is not read as a whole: its usage is not known then. */
const MAX_TEXT = 8_000_000;
/** A character of a prompt is a quarter of a token, in most languages and for most models. */
const TOKENS_A_CHARACTER = 1 / 4;
/** Pictures and files in a prompt: their text says nothing of their tokens. */
const ENCODED = /"(?:data:[^"]{200,}|[A-Za-z0-9+/=_-]{1000,})"/g;
const ENCODED_TOKENS = 1_000;
/** An answer whose length the caller does not limit. */
const UNLIMITED_TOKENS = 500;
/** Where requests say how long an answer may be: OpenAI and Azure, Anthropic, Gemini. */
const MOST = ['max_completion_tokens', 'max_output_tokens', 'max_tokens', 'maxOutputTokens'];

/** The tokens that a request is expected to use: its prompt's length, and what it allows for the answer. */
export function expectedTokens(body: unknown): number {
  if (typeof body !== 'string' || body === '') return 0;
  let encoded = 0;
  const text = body.replace(ENCODED, () => {
    encoded++;
    return '""';
  });
  const value = parseJson(text);
  const prompt = Math.ceil(text.length * TOKENS_A_CHARACTER) + encoded * ENCODED_TOKENS;
  return isObject(value) ? prompt + (mostIn(value) ?? UNLIMITED_TOKENS) : 0;
}

function mostIn(request: Fields): number | null {
  const { generationConfig, generation_config: other } = request;
  for (const fields of [request, generationConfig, other]) {
    const most = MOST.map((name) => (isObject(fields) ? fields[name] : undefined)).find(isAmount);
    if (most !== undefined) return most;
  }
  return null;
}

/** Reads the usage of an answer while its caller does: of one JSON text, of a list of them, or of events. */
export class UsageReader {
  readonly #decoder = new TextDecoder();
  readonly #isEvents: boolean;
  readonly #usage: Record<string, unknown> = {};
  #text = '';
  #isTooLong = false;

  constructor(contentType: string | null) {
    this.#isEvents = contentType?.includes('text/event-stream') ?? false;
  }

  add(chunk: Uint8Array): void {
    if (this.#isTooLong) return;
    this.#text += this.#decoder.decode(chunk, { stream: true });
    if (this.#isEvents) this.#takeLines();
    this.#isTooLong = this.#text.length > MAX_TEXT;
  }

  /** The tokens that the whole answer says it used; null where it does not say. */
  end(): number | null {
    if (this.#isTooLong) return null;
    if (this.#isEvents) this.#line(this.#text);
    else this.#note(parseJson(this.#text));
    return sumOf(this.#usage);
  }

  #takeLines(): void {
    const lines = this.#text.split(/\r\n|\r(?!$)|\n/);
    this.#text = lines.pop()!;
    for (const line of lines) this.#line(line);
  }

  #line(line: string): void {
    if (line.startsWith('data:') && /usage/i.test(line)) this.#note(parseJson(line.slice(5)));
  }

  /** Events tell it in parts, and the later ones have the sums so far. */
  #note(value: unknown): void {
    if (Array.isArray(value)) for (const part of value) this.#note(part);
    if (!isObject(value)) return;
    const { usage, usageMetadata, response, message } = value;
    for (const found of [usage, usageMetadata]) if (isObject(found)) Object.assign(this.#usage, found);
    for (const inner of [response, message])
      if (isObject(inner) && isObject(inner['usage'])) Object.assign(this.#usage, inner['usage']);
  }
}

/** As OpenAI and Azure, Gemini and Anthropic have it. What comes out of a cache counts, too. */
function sumOf(usage: Fields): number | null {
  const total = usage['total_tokens'] ?? usage['totalTokenCount'];
  if (isAmount(total)) return total;
  const parts = [
    usage['input_tokens'] ?? usage['prompt_tokens'] ?? usage['promptTokenCount'],
    usage['output_tokens'] ?? usage['completion_tokens'] ?? usage['candidatesTokenCount'],
    usage['cache_creation_input_tokens'],
    usage['cache_read_input_tokens'],
  ].filter(isAmount);
  return parts.length === 0 ? null : parts.reduce((sum, part) => sum + part, 0);
}

function isAmount(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0;
}
