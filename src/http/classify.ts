import type { OutcomeKind, Protocol } from '../core/types.ts';

/** A rule of the configuration: answers that match are taken as `as`. */
export interface ClassifyRule {
  readonly status?: number | undefined;
  readonly body?: string | undefined;
  /** `name` of a header that is present, or `name: text` that its value contains. */
  readonly header?: string | undefined;
  readonly as: OutcomeKind;
}

interface ProtocolRule {
  readonly status: number;
  readonly body?: RegExp;
  readonly as: OutcomeKind;
}

/** What vendors mean by a status, where it differs from plain HTTP. */
const PROTOCOL_RULES: Record<Protocol, readonly ProtocolRule[]> = {
  http: [],
  openai: [{ status: 429, body: /insufficient_quota|billing_hard_limit/, as: 'exhausted' }],
  'azure-openai': [{ status: 429, body: /insufficient_quota/, as: 'exhausted' }],
  gemini: [
    { status: 400, body: /API_KEY_INVALID|API key not valid|API key expired/, as: 'auth' },
    { status: 429, body: /PerDay/, as: 'exhausted' },
  ],
  anthropic: [{ status: 400, body: /credit balance is too low/, as: 'exhausted' }],
};

/** Codes of Node's network errors that mean that nothing reached a server. */
const UNSENT = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EHOSTDOWN',
]);

/** An answer as rules look at it. `headers` has lower-case names; `body` is asked for only where a rule reads it. */
export interface Answered {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: () => Promise<string>;
}

/** What an answer means: the configuration's rules first, then the protocol's, then plain HTTP. */
export async function classifyAnswer(
  answer: Answered,
  protocol: Protocol,
  rules: readonly ClassifyRule[],
): Promise<OutcomeKind> {
  for (const rule of rules) if (await ruleMatches(rule, answer)) return rule.as;
  for (const rule of PROTOCOL_RULES[protocol]) {
    if (rule.status === answer.status && (!rule.body || rule.body.test(await answer.body()))) return rule.as;
  }
  return classifyStatus(answer.status);
}

async function ruleMatches(rule: ClassifyRule, answer: Answered): Promise<boolean> {
  if (rule.status === undefined ? answer.status < 400 : rule.status !== answer.status) return false;
  if (rule.header !== undefined && !headerMatches(rule.header, answer.headers)) return false;
  return rule.body === undefined || (await answer.body()).includes(rule.body);
}

function headerMatches(wanted: string, headers: Readonly<Record<string, string>>): boolean {
  const [name = '', ...text] = wanted.split(':');
  const value = headers[name.trim().toLowerCase()];
  return value !== undefined && value.includes(text.join(':').trim());
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

/** Nothing of the request reached a server, so it may be sent elsewhere, whatever it asks for. */
export function isUnsent(code: string | null): boolean {
  return code !== null && UNSENT.has(code);
}

/** The code of a network error, however deep it stands: in a `cause`, or among the errors of several addresses tried. */
export function errorCodeOf(error: unknown): string | null {
  for (let at = error, depth = 0; typeof at === 'object' && at !== null && depth < 8; depth++) {
    const { code, cause, errors } = at as { code?: unknown; cause?: unknown; errors?: unknown };
    if (typeof code === 'string' && code !== '') return code;
    at = cause ?? (Array.isArray(errors) ? errors[0] : null);
  }
  return null;
}
