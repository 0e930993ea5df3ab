import { type Dispatcher, request } from 'undici';
import { monotonic, systemClock } from '../core/clock.ts';
import { type OutcomeKind, type ClassifyRule } from '../core/types.ts';
import { meaningOf } from './classify.ts';
import { dispatcherTo } from './dispatcher.ts';
import { MAX_BODY_BYTES } from './error-body.ts';
import { type Fault, faultOf } from './fault.ts';
import { type Trust, tlsTo } from './tls.ts';
import { parameterOf, withParameter } from './query.ts';
import { type ProbeHttpRequest, probeRequest, type ProbeTarget } from './probe-request.ts';

export interface ProbeTask extends ProbeTarget {
  readonly classify?: readonly ClassifyRule[];
  readonly timeoutMs: number;
  readonly trust?: Trust | undefined;
  readonly signal?: AbortSignal;
}

/** What a probe came to. */
export interface ProbeOutcome {
  /**
   * `ok` where the endpoint (and the key that was sent) is fit for use; `auth` where the key was refused; `caller` where
   * the probe was aborted, or shows nothing because the server does not know it.
   */
  readonly kind: OutcomeKind;
  readonly status: number | null;
  readonly durationMs: number;
  readonly retryAfterMs: number | null;
  /** In a few words, without any secret; null if it passed. */
  readonly message: string | null;
  /** What was asked: the protocol's probe proves a key, `health` and the base address may answer without one. */
  readonly by: ProbeHttpRequest['by'];
  /** The path that was asked, without its query. */
  readonly path: string;
  readonly unsent: boolean;
  /** Code of the error that ended it, where one is known. */
  readonly code?: string;
  /** Whether it may be this machine's own network. */
  readonly local: Fault['local'];
}

const MAX_REDIRECTS = 3;
const UNKNOWN: Fault = { kind: 'network', unsent: false, local: 'no', code: null };

/**
 * Sends one cheap request that shows whether an endpoint answers, and whether a key is accepted there. Redirects are
 * followed within the origin only, so that no key leaves it. Never throws for what a network, a server or an abort by
 * `signal` does (which is told as `caller`).
 */
export async function probeMember(probe: ProbeTask): Promise<ProbeOutcome> {
  const asked = probeRequest(probe);
  const startedAt = monotonic();
  const limit = AbortSignal.timeout(Math.max(1, Math.ceil(probe.timeoutMs)));
  const signal = probe.signal ? AbortSignal.any([limit, probe.signal]) : limit;
  const tls = tlsTo(asked.url.origin, probe.trust);
  const dispatcher = dispatcherTo({ ...probe.endpoint, tls }, { connections: 1, pipelining: 0 });
  const told = { by: asked.by, path: asked.url.pathname };
  try {
    const answer = await follow(asked, dispatcher, signal);
    const durationMs = monotonic() - startedAt;
    return { ...told, ...(await judge(answer, probe, asked)), durationMs, unsent: false, local: 'no' };
  } catch (error) {
    const failed = { ...told, status: null, durationMs: monotonic() - startedAt, retryAfterMs: null };
    return { ...failed, ...reasonOf(error, probe, limit) };
  } finally {
    // Not awaited: a server that hangs must not hold up whoever asked.
    dispatcher.destroy().catch(() => {});
  }
}

interface ProbeAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
  /** It sends elsewhere, where no key must go. */
  readonly leaves: boolean;
}

async function follow(
  asked: ProbeHttpRequest,
  dispatcher: Dispatcher,
  signal: AbortSignal,
): Promise<ProbeAnswer> {
  let { url } = asked;
  for (let hops = 0; ; hops++) {
    const response = await request(url, { dispatcher, signal, method: 'GET', headers: asked.headers });
    const headers = plain(response.headers);
    const status = response.statusCode;
    const text = await readBounded(response.body);
    const location = status >= 300 && status < 400 ? headers['location'] : undefined;
    const next =
      location !== undefined && URL.canParse(location, url.href) ? new URL(location, url.href) : null;
    const leaves = next !== null && next.origin !== url.origin;
    if (next === null || leaves || hops >= MAX_REDIRECTS) return { status, headers, text, leaves };
    if (asked.queryKey && parameterOf(next.search, asked.queryKey[0]) === undefined)
      next.search = withParameter(next.search, ...asked.queryKey);
    url = next;
  }
}

async function judge(
  answer: ProbeAnswer,
  { key, protocol, classify = [] }: ProbeTask,
  { by, url }: ProbeHttpRequest,
): Promise<Pick<ProbeOutcome, 'kind' | 'status' | 'retryAfterMs' | 'message'>> {
  const { status, headers, text, leaves } = answer;
  const given = { status, headers, body: () => Promise.resolve(text) };
  const { kind, retryAfterMs, why } = await meaningOf(given, protocol, classify, systemClock());
  const said = why === null ? String(status) : `${status}, ${why}`;
  const well = { kind: 'ok', status, retryAfterMs, message: null } as const;
  // An endpoint that asks for a key is there.
  if (key === null && kind === 'auth') return well;
  if (by === 'address') {
    // Whatever its root answers, something is there; a gateway that reaches nothing shows the opposite.
    const isThere = kind === 'caller' || (kind === 'server' && ![502, 503, 504].includes(status));
    return isThere || kind === 'ok' ? well : { ...well, kind, message: said };
  }
  if (leaves) return { ...well, kind: 'server', message: `${status} to another origin at ${url.pathname}` };
  if (kind === 'ok') {
    return status < 300 ? well : { ...well, kind: 'server', message: `${status} at ${url.pathname}` };
  }
  // A restricted key that may not list models was recognized all the same.
  if (by === 'protocol' && kind === 'caller' && (status === 401 || status === 403)) return well;
  // A path that the user named must be there; where a vendor's own is missing, nothing is shown.
  if (kind === 'caller') {
    return { ...well, kind: by === 'health' ? 'server' : kind, message: `${status} at ${url.pathname}` };
  }
  return { ...well, kind, message: said };
}

function reasonOf(
  error: unknown,
  { signal, timeoutMs }: ProbeTask,
  limit: AbortSignal,
): Pick<ProbeOutcome, 'kind' | 'message' | 'unsent' | 'local' | 'code'> {
  if (signal?.aborted) return { kind: 'caller', message: 'aborted', unsent: false, local: 'no' };
  if (limit.aborted) {
    const message = `no answer in ${Math.ceil(timeoutMs)} ms`;
    return { kind: 'timeout', message, unsent: false, local: 'no' };
  }
  const { kind, code, unsent, local } = faultOf(error) ?? UNKNOWN;
  // No caller aborts a probe, so this is a fault.
  const told = { message: code ?? 'no answer', unsent, local };
  return { ...told, kind: kind === 'caller' ? 'network' : kind, ...(code === null ? {} : { code }) };
}

/** The first part of a body, or what came of it before it broke off: the status is known, and says most. */
async function readBounded(body: Dispatcher.ResponseData['body']): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of body) {
      chunks.push(chunk as Buffer);
      size += (chunk as Buffer).length;
      if (size >= MAX_BODY_BYTES) break;
    }
  } catch {
    // Told by the status alone.
  }
  body.destroy();
  return Buffer.concat(chunks).toString('utf8').slice(0, MAX_BODY_BYTES);
}

function plain(headers: Readonly<Record<string, string | string[] | undefined>>): Record<string, string> {
  const entries = Object.entries(headers).filter((entry) => entry[1] !== undefined);
  return Object.fromEntries(entries.map(([name, value]) => [name, [value].flat().join(', ')]));
}
