import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import type { Secret } from '../../config/secrets.ts';
import { asObject, items, textOf, type Loose } from '../../config/json.ts';
import { parseJson } from '../../shared/json.ts';

/** Where in a run a secret stands. */
export interface Where {
  readonly test: string;
  readonly step: string | null;
  /** The test typed it, so Playwright shows it. */
  readonly typed: boolean;
}

/** What a content of Playwright's says of secrets that were found in it. */
export interface LocatedStep {
  /** Its test, where the content is about one. */
  readonly test: string | null;
  readonly where: ReadonlyMap<Secret, readonly Where[]>;
}

export type Chunks = AsyncIterable<Buffer>;

/** Further places of a secret in one content are not listed. */
const MAX_WHERE = 20;
const MAX_WHOLE = 64 * 1024 ** 2;
const TYPING = /^(?:fill|type|press|pressSequentially|insertText|setInputFiles|selectOption)$/;
/** `Fill "…" locator('#p')`; before 1.52 `locator.fill(#p)`. */
const TYPING_TITLE =
  /^(?:(?:Fill|Type|Press|Insert)\b|\w+(?:\.\w+)*\.(?:fill|type|press|pressSequentially|insertText)\()/;

/** Reads contents that say which test and step a text belongs to; null for others. */
export function locatorOf(
  name: string,
): ((chunks: Chunks, secrets: readonly Secret[]) => Promise<LocatedStep>) | null {
  if (isTrace(name)) return inTrace;
  if (/(?:^|\/)report\.jsonl$/.test(name)) return inBlob;
  if (name.endsWith('.json')) return inReport;
  return name.endsWith('.xml') ? inJunit : null;
}

export function isTrace(name: string): boolean {
  return name.endsWith('.trace');
}

/** Collects where each secret stands. */
class Places {
  readonly found = new Map<Secret, Where[]>();
  readonly #secrets: readonly (readonly [Secret, string])[];

  constructor(secrets: readonly Secret[]) {
    this.#secrets = secrets.map((secret) => [secret, JSON.stringify(secret.value).slice(1, -1)]);
  }

  /** The secrets in a line of JSON. */
  inLine(line: string): Secret[] {
    return this.#secrets.flatMap(([secret, json]) => (line.includes(json) ? secret : []));
  }

  inText(text: string): Secret[] {
    return this.#secrets.flatMap(([secret]) => (text.includes(secret.value) ? secret : []));
  }

  add(secret: Secret, where: Where): void {
    const known = this.found.get(secret) ?? [];
    this.found.set(secret, known);
    const same = known.some(({ test, step }) => test === where.test && step === where.step);
    if (!same && known.length < MAX_WHERE) known.push(where);
  }
}

interface TracedStep {
  readonly title: string;
  readonly typed: boolean;
}

/** A trace's actions, one JSON object a line: what belongs to an action has its id. */
async function inTrace(chunks: Chunks, secrets: readonly Secret[]): Promise<LocatedStep> {
  const places = new Places(secrets);
  const steps = new Map<string, TracedStep>();
  const hits: { secret: Secret; step: TracedStep | null }[] = [];
  let test: string | null = null;
  for await (const line of createInterface({ input: Readable.from(chunks), crlfDelay: Infinity })) {
    const begins = line.startsWith('{"type":"before"');
    const isContext = line.includes('"context-options"');
    const inLine = places.inLine(line);
    if (!begins && !isContext && inLine.length === 0) continue;
    const event = asObject(parseJson(line));
    if (isContext) test ??= withoutFile(textOf(event, 'title'));
    const callId = textOf(event, 'callId') ?? textOf(event['snapshot'], 'callId') ?? '';
    if (begins) steps.set(callId, stepOf(event));
    for (const secret of inLine) hits.push({ secret, step: steps.get(callId) ?? null });
  }
  for (const { secret, step } of hits) {
    places.add(secret, { test: test ?? '', step: step?.title ?? null, typed: step?.typed ?? false });
  }
  return { test, where: places.found };
}

function stepOf(event: Loose): TracedStep {
  const method = textOf(event, 'method') ?? '';
  const title = textOf(event, 'title') ?? `${textOf(event, 'class') ?? ''}.${method}`;
  return { title, typed: TYPING.test(method) || TYPING_TITLE.test(title) };
}

/** `a.spec.ts:3 › accounts › signs in` → `accounts › signs in` */
function withoutFile(title: string | undefined): string | null {
  if (title === undefined || title === '') return null;
  return title.replace(/^[^›]*:\d+ › /, '');
}

/** The events of a blob: tests and steps by id. */
async function inBlob(chunks: Chunks, secrets: readonly Secret[]): Promise<LocatedStep> {
  const places = new Places(secrets);
  const titles = new Map<string, string>();
  for await (const line of createInterface({ input: Readable.from(chunks), crlfDelay: Infinity })) {
    const isProject = line.includes('"onProject"');
    const inLine = places.inLine(line);
    if (!isProject && inLine.length === 0) continue;
    const { params } = asObject(parseJson(line));
    const { project, step, test, testId } = asObject(params);
    for (const suite of items(asObject(project)['suites'])) titlesOf(suite, [], titles);
    const id = typeof testId === 'string' ? testId : textOf(test, 'testId');
    const title = textOf(step, 'title');
    const at = id === undefined ? undefined : titles.get(id);
    if (at === undefined) continue;
    const where = { test: at, step: title ?? null, typed: title !== undefined && TYPING_TITLE.test(title) };
    for (const secret of inLine) places.add(secret, where);
  }
  return { test: null, where: places.found };
}

/** The title of the file is left out, as in traces. */
function titlesOf(suite: unknown, above: readonly string[], titles: Map<string, string>, depth = 0): void {
  const own = depth === 0 ? above : [...above, textOf(suite, 'title') ?? ''];
  for (const entry of items(asObject(suite)['entries'])) {
    const id = textOf(entry, 'testId');
    if (id === undefined) titlesOf(entry, own, titles, depth + 1);
    else titles.set(id, [...own, textOf(entry, 'title')].join(' › '));
  }
}

/** The JSON of Playwright's reporters `json` and `html`: tests have titles and results, steps have titles. */
async function inReport(chunks: Chunks, secrets: readonly Secret[]): Promise<LocatedStep> {
  const places = new Places(secrets);
  const text = await whole(chunks);
  if (text === null || !/"(?:results|suites)"\s*:/.test(text)) return { test: null, where: places.found };
  const visit = (
    value: unknown,
    at: { readonly titles: readonly string[]; readonly step: string | null },
  ): void => {
    if (typeof value === 'string') {
      const test = at.titles.join(' › ');
      const typed = at.step !== null && TYPING_TITLE.test(at.step);
      for (const secret of places.inText(value)) places.add(secret, { test, step: at.step, typed });
    } else if (Array.isArray(value)) for (const item of value) visit(item, at);
    else if (typeof value === 'object' && value !== null) {
      const inside = contextOf(value as Loose, at);
      for (const field of Object.values(value)) visit(field, inside);
    }
  };
  visit(parseJson(text), { titles: [], step: null });
  return { test: null, where: places.found };
}

function contextOf(
  node: Loose,
  at: { readonly titles: readonly string[]; readonly step: string | null },
): typeof at {
  const title = textOf(node, 'title');
  if (title === undefined) return at;
  const path = items(node['path']).filter((part) => typeof part === 'string');
  // The html reporter's test, the json reporter's suite and spec; a suite of a file has its name as title.
  if ('results' in node) return { titles: [...path, title], step: null };
  if ('specs' in node)
    return textOf(node, 'file') === title ? at : { titles: [...at.titles, title], step: null };
  if ('tests' in node) return { titles: [...at.titles, title], step: null };
  return 'duration' in node || 'steps' in node ? { ...at, step: title } : at;
}

async function inJunit(chunks: Chunks, secrets: readonly Secret[]): Promise<LocatedStep> {
  const places = new Places(secrets);
  const text = (await whole(chunks)) ?? '';
  for (const [, name = '', body = ''] of text.matchAll(
    /<testcase\b[^>]*?\bname="([^"]*)"([\s\S]*?)(?=<testcase\b|$)/g,
  )) {
    const bare = plain(body);
    for (const secret of places.inText(bare))
      places.add(secret, { test: plain(name), step: null, typed: false });
  }
  return { test: null, where: places.found };
}

function plain(xml: string): string {
  const signs: Readonly<Record<string, string>> = { lt: '<', gt: '>', quot: '"', apos: "'", amp: '&' };
  return xml.replace(/&(lt|gt|quot|apos|amp);/g, (_, name: string) => signs[name]!);
}

/** Null where it is too large to be held. */
async function whole(chunks: Chunks): Promise<string | null> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const chunk of chunks) {
    length += chunk.length;
    if (length > MAX_WHOLE) return null;
    parts.push(chunk);
  }
  return Buffer.concat(parts).toString();
}
