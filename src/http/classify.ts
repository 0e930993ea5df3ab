import type { ClassifyRule, OutcomeKind, Protocol } from '../core/types.ts';
import { memoize } from '../shared/memoize.ts';
import { type ErrorBody, MAX_BODY_BYTES, readErrorBody } from './error-body.ts';
import { PROTOCOLS } from './protocols/index.ts';
import type { ErrorRow } from './protocols/types.ts';
import { explicitWaitMs, latest, resetMs } from './retry-after.ts';

/** An answer as rules look at it. `headers` has lower-case names; `body` is asked for only where a rule reads it. */
export interface Answered {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: () => Promise<string>;
}

/** What an answer means. */
export interface Meaning {
  readonly kind: OutcomeKind;
  /** How long the server asks to wait, in milliseconds; null: it does not say. */
  readonly retryAfterMs: number | null;
  /** The limit that was met is the asked model's, not the whole key's. */
  readonly perModel: boolean;
  /** What the table calls it; null where plain HTTP says it all. Never a word of the server's. */
  readonly why: string | null;
}

/** The configuration's rules first, then the protocol's table, then plain HTTP. */
export async function meaningOf(
  answer: Answered,
  protocol: Protocol,
  rules: readonly ClassifyRule[],
  now: number,
): Promise<Meaning> {
  const { status, headers } = answer;
  const plain = (kind: OutcomeKind, why: string | null): Meaning => {
    return { kind, retryAfterMs: waitMs(kind, [], headers, now), perModel: false, why };
  };
  const text = memoize(() => readText(answer));
  for (const rule of rules) {
    if (await ruleMatches(rule, answer, text)) {
      return plain(rule.as, 'a rule of the configuration');
    }
  }
  const error = memoize(async () => readErrorBody(await text()));
  for (const row of PROTOCOLS[protocol].errors) {
    if (await rowFits(row, status, error)) return meaningOfRow(row, await error(), headers, now);
  }
  const limited = protocol === 'http' && status === 403 && isLimited(headers, now);
  return plain(limited ? 'rate-limit' : classifyStatus(status), null);
}

/** What a status means under plain HTTP (RFC 9110, RFC 6585). */
export function classifyStatus(status: number): OutcomeKind {
  if (status < 400) return 'ok';
  if (status === 401 || status === 403) return 'auth';
  if (status === 402) return 'exhausted';
  if (status === 408) return 'timeout';
  if (status === 429) return 'rate-limit';
  return status >= 500 ? 'server' : 'caller';
}

async function rowFits(row: ErrorRow, status: number, error: () => Promise<ErrorBody>): Promise<boolean> {
  const fits = typeof row.status === 'number' ? row.status === status : row.status.includes(status);
  if (!fits) return false;
  const { code, says } = row;
  if (code !== undefined) {
    const { codes } = await error();
    const known =
      code instanceof RegExp ? (name: string) => code.test(name) : (name: string) => code.includes(name);
    if (![...codes].some(known)) return false;
  }
  return says === undefined || says.test((await error()).message);
}

/** How long it lasts is the table's to say, where it knows; else what body and headers ask for counts. */
function meaningOfRow(row: ErrorRow, error: ErrorBody, headers: Answered['headers'], now: number): Meaning {
  const { as: kind, perModel = false, why } = row;
  const asked = [row.asksMs?.(error) ?? null, error.retryDelayMs];
  const retryAfterMs = row.lastsMs ? row.lastsMs(error, now) : waitMs(kind, asked, headers, now);
  return { kind, retryAfterMs, perModel, why };
}

/** The latest of what was asked for; else the counters, which come with every answer and mean a wait only at a limit. */
function waitMs(
  kind: OutcomeKind,
  asked: readonly (number | null)[],
  headers: Answered['headers'],
  now: number,
): number | null {
  const isLimit = kind === 'rate-limit' || kind === 'exhausted';
  return latest([...asked, explicitWaitMs(headers, now)]) ?? (isLimit ? resetMs(headers, now) : null);
}

async function ruleMatches(
  rule: ClassifyRule,
  { status, headers }: Answered,
  text: () => Promise<string>,
): Promise<boolean> {
  if (rule.status === undefined ? status < 400 : rule.status !== status) return false;
  if (rule.header !== undefined && !headerMatches(rule.header, headers)) return false;
  return rule.body === undefined || (await text()).includes(rule.body);
}

function headerMatches(wanted: string, headers: Answered['headers']): boolean {
  const [name = '', ...text] = wanted.split(':');
  const value = headers[name.trim().toLowerCase()];
  return value !== undefined && value.includes(text.join(':').trim());
}

/** A 403 that says how long to wait, or that nothing is left of a limit. */
function isLimited(headers: Answered['headers'], now: number): boolean {
  return explicitWaitMs(headers, now) !== null || headers['x-ratelimit-remaining'] === '0';
}

/** A body that breaks off is ignored; the status still counts. */
async function readText(answer: Answered): Promise<string> {
  try {
    return (await answer.body()).slice(0, MAX_BODY_BYTES);
  } catch {
    return '';
  }
}
