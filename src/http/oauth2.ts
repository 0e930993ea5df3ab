import type { ClientAuth } from 'oauth4webapi';
import { request } from 'undici';
import { basic } from './auth.ts';
import { dispatcherTo } from './dispatcher.ts';
import { MAX_BODY_BYTES } from './error-body.ts';
import { faultOf } from './fault.ts';
import { systemClock } from '../core/clock.ts';
import { explicitWaitMs } from './retry-after.ts';
import { type Trust, tlsTo } from './tls.ts';

/** What a token is asked for with: client credentials (RFC 6749, 4.4). */
export interface TokenTask {
  readonly tokenUrl: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly scope?: string | undefined;
  readonly audience?: string | undefined;
  readonly timeoutMs: number;
  readonly trust: Trust;
}

/** What became of it. `why` names the token endpoint, and holds no secret. */
export type TokenOutcome =
  | {
      readonly is: 'token';
      readonly token: string;
      /** Null: it does not say. */ readonly lifetimeMs: number | null;
    }
  /** The client is refused: its id or secret is wrong, or it has no right to tokens. */
  | { readonly is: 'refused'; readonly why: string }
  /** It asks to come later; null: it does not say when. */
  | { readonly is: 'throttled'; readonly retryAfterMs: number | null; readonly why: string }
  /** A 5xx, or a fault of the network. */
  | { readonly is: 'down'; readonly why: string }
  /** Something else is wrong with what was asked, such as an unknown scope. */
  | { readonly is: 'invalid'; readonly why: string };

type Failed = Exclude<TokenOutcome, { is: 'token' }>;

/** Codes of RFC 6749, 5.2 by which the client itself is refused. */
const CLIENT_REFUSED: ReadonlySet<string> = new Set([
  'invalid_client',
  'unauthorized_client',
  'access_denied',
]);

interface TokenAnswer {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly text: string;
}

/** How the client says who it is. */
type SecretWay = 'header' | 'body' | 'plain header';

/**
 * Mints a token. The client's secret goes in the header of basic authentication, which each server has to take. To one that
 * refuses it so it goes once more in the body, as some servers want it, and in a header that is not form-encoded, as servers
 * take it that do not decode.
 */
export async function mintToken(task: TokenTask): Promise<TokenOutcome> {
  const { clientId, clientSecret } = task;
  const isPlain = [clientId, clientSecret].every((text) => formEncoded(text) === text);
  const further: SecretWay[] = isPlain ? ['body'] : ['body', 'plain header'];
  const first = await ask(task, 'header');
  if (first.is !== 'refused') return first;
  for (const way of further) {
    const next = await ask(task, way);
    if (next.is !== 'refused' && next.is !== 'invalid') return next;
  }
  return first;
}

async function ask(task: TokenTask, way: SecretWay): Promise<TokenOutcome> {
  // Loaded with the first token.
  const oauth = await import('oauth4webapi');
  const { tokenUrl, clientId, clientSecret, scope, audience } = task;
  const server = { issuer: new URL(tokenUrl).origin, token_endpoint: tokenUrl };
  const client = { client_id: clientId };
  // The library's own would encode what a form leaves as it is, which servers that do not decode would not know again.
  const encoded = way === 'header' ? formEncoded : (text: string): string => text;
  const auth: ClientAuth =
    way === 'body'
      ? oauth.ClientSecretPost(clientSecret)
      : (_server, _client, _body, headers) =>
          headers.set('authorization', basic(`${encoded(clientId)}:${encoded(clientSecret)}`));
  const parameters = { ...(scope !== undefined && { scope }), ...(audience !== undefined && { audience }) };
  let answer: TokenAnswer | null = null;
  try {
    const response = await oauth.clientCredentialsGrantRequest(server, client, auth, parameters, {
      [oauth.allowInsecureRequests]: true,
      [oauth.customFetch]: async (url, { headers, body }) => {
        answer = await post(task, url, headers, String(body));
        return new Response(answer.text, { status: answer.status, headers: answer.headers });
      },
    });
    const failed = failureOf(task, answer!);
    if (failed) return failed;
    const {
      access_token: token,
      token_type: type,
      expires_in: lifetimeS,
    } = await oauth.processClientCredentialsResponse(server, client, response);
    if (type !== 'bearer')
      return invalid(task, `gave a token of type ${JSON.stringify(type.slice(0, 40))}, not a bearer token`);
    return { is: 'token', token, lifetimeMs: lifetimeS === undefined ? null : lifetimeS * 1_000 };
  } catch (error) {
    return answer === null ? unanswered(task, error) : invalid(task, 'gave an answer that is no token');
  }
}

async function post(
  { timeoutMs, trust }: TokenTask,
  url: string,
  headers: Record<string, string>,
  body: string,
): Promise<TokenAnswer> {
  const tls = tlsTo(new URL(url).origin, trust);
  const dispatcher = dispatcherTo({ url, tls }, { connections: 1, pipelining: 0 });
  const signal = AbortSignal.timeout(Math.max(1, Math.ceil(timeoutMs)));
  try {
    const response = await request(url, { method: 'POST', dispatcher, signal, headers, body });
    let text = '';
    for await (const part of response.body.setEncoding('utf8')) {
      text += String(part);
      if (text.length > MAX_BODY_BYTES) break;
    }
    return { status: response.statusCode, headers: plain(response.headers), text };
  } finally {
    dispatcher.destroy().catch(() => {});
  }
}

function failureOf(task: TokenTask, { status, headers, text }: TokenAnswer): Failed | null {
  const at = `${shown(task.tokenUrl)} answered ${status}`;
  const retryAfterMs = explicitWaitMs(headers, systemClock());
  if (status === 429 || (status === 503 && retryAfterMs !== null))
    return { is: 'throttled', retryAfterMs, why: at };
  if (status >= 500) return { is: 'down', why: at };
  if (status < 300) return null;
  const code = errorCode(text);
  const why = code === null ? at : `${at}, ${code}`;
  if (status === 401 || (code !== null && CLIENT_REFUSED.has(code))) return { is: 'refused', why };
  return { is: 'invalid', why };
}

function unanswered(task: TokenTask, error: unknown): Failed {
  const isLate = error instanceof Error && error.name === 'TimeoutError';
  const fault = isLate ? null : faultOf(error);
  const what = isLate
    ? `gave no answer in ${Math.ceil(task.timeoutMs)} ms`
    : `could not be reached (${fault?.code ?? 'no answer'})`;
  return { is: 'down', why: `${shown(task.tokenUrl)} ${what}` };
}

function invalid(task: TokenTask, what: string): Failed {
  return { is: 'invalid', why: `${shown(task.tokenUrl)} ${what}` };
}

/** The code of an error, as RFC 6749 has it; null for what is none. */
function errorCode(text: string): string | null {
  try {
    const { error } = JSON.parse(text) as { error?: unknown };
    return typeof error === 'string' && /^[\w.-]{1,60}$/.test(error) ? error : null;
  } catch {
    return null;
  }
}

/** As RFC 6749, 2.3.1 has it in the header. */
function formEncoded(text: string): string {
  return new URLSearchParams([['', text]]).toString().slice(1);
}

/** Without what an address may carry besides its place. */
function shown(address: string): string {
  const { origin, pathname } = new URL(address);
  return origin + pathname;
}

function plain(headers: Readonly<Record<string, string | string[] | undefined>>): Record<string, string> {
  const entries = Object.entries(headers).filter((entry) => entry[1] !== undefined);
  return Object.fromEntries(entries.map(([name, value]) => [name, [value].flat().join(', ')]));
}
