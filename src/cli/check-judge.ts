import { type MemberKind } from '../core/types.ts';
import type { EndpointConfig, KeyConfig, PoolConfig } from '../config/types.ts';
import type { ProbeOutcome } from '../http/probe.ts';
import { placesOf } from './check-plan.ts';

/** `ok`: fit for use. `throttled`: valid, and over its limit now. `unproven`: nothing found wrong, nothing shown. */
export type Result = 'ok' | 'fault' | 'throttled' | 'unproven' | 'disabled';

/** A probe with what it was about. */
export interface Asked {
  readonly pool: string;
  readonly endpoint: string;
  readonly key: string | null;
  readonly probed: ProbeOutcome;
  /** How long the token lives that was minted for it; null: its issuer does not say; absent: it has none. */
  readonly tokenMs?: number | null | undefined;
}

/** What is known of an endpoint, or of a key at one endpoint. */
export interface CheckRow {
  readonly kind: MemberKind;
  readonly name: string;
  /** Where a key was asked; null for an endpoint itself, and for a key that was asked nowhere. */
  readonly endpoint: string | null;
  readonly result: Result;
  readonly probed: ProbeOutcome | null;
  readonly note: string;
}

const OFF = '"enabled": false in the configuration';
const NAME_HEALTH = 'a "health" path that takes keys would prove it';

const IN_WORDS: Readonly<Record<string, string>> = {
  ECONNREFUSED: ': nothing listens there',
  ENOTFOUND: ': no such host',
  EAI_AGAIN: ': names cannot be looked up; is this machine online?',
  ENETUNREACH: ': no route there; is this machine online?',
  CERT_HAS_EXPIRED: ': its certificate has expired',
  DEPTH_ZERO_SELF_SIGNED_CERT: ': its certificate is self-signed; NODE_EXTRA_CA_CERTS names one to trust',
  SELF_SIGNED_CERT_IN_CHAIN: ': its certificate is self-signed; NODE_EXTRA_CA_CERTS names one to trust',
};

/** What all probes of a pool came to, endpoints first. */
export function judgePool(pool: string, config: PoolConfig, asked: readonly Asked[]): CheckRow[] {
  const own = asked.filter((each) => each.pool === pool);
  const endpoints = config.endpoints.map((endpoint) => judgeEndpoint(endpoint, own));
  return [...endpoints, ...config.keys.flatMap((key) => judgeKey(key, config, own, endpoints))];
}

function judgeEndpoint(endpoint: EndpointConfig, asked: readonly Asked[]): CheckRow {
  const { name, enabled } = endpoint;
  const probed = asked.find((each) => each.endpoint === name && each.key === null)?.probed ?? null;
  const common = { kind: 'endpoint', name, endpoint: null, probed } as const;
  if (!enabled || probed === null) return { ...common, result: 'disabled', note: OFF };
  if (probed.kind === 'ok') return { ...common, result: 'ok', note: '' };
  const said = probed.message ?? probed.kind;
  const note = `${said}${IN_WORDS[said] ?? ''}${viaProxy(endpoint, probed)}`;
  return { ...common, result: probed.kind === 'rate-limit' ? 'throttled' : 'fault', note };
}

function judgeKey(
  key: KeyConfig,
  config: PoolConfig,
  asked: readonly Asked[],
  endpoints: readonly CheckRow[],
): CheckRow[] {
  const { name } = key;
  const common = { kind: 'key', name, endpoint: null, probed: null } as const;
  if (!key.enabled) return [{ ...common, result: 'disabled', note: OFF }];
  const own = asked.filter((each) => each.key === name);
  if (own.length === 0) return [{ ...common, result: 'unproven', note: whyNotAsked(key, config, endpoints) }];
  return own.map(({ endpoint, probed, tokenMs }) => {
    const there = asked.filter((each) => each.endpoint === endpoint);
    const { result, note } = judgeAnswer(probed, there);
    return { kind: 'key', name, endpoint, probed, result, note: withToken(note, tokenMs) };
  });
}

/**
 * A protocol's own probe speaks for itself. What a health path or the base address says about a key shows only beside
 * what they say to a request without one, and to the other keys.
 */
function judgeAnswer(probed: ProbeOutcome, there: readonly Asked[]): Pick<CheckRow, 'result' | 'note'> {
  const { kind, status, by } = probed;
  const where = by === 'health' ? probed.path : 'its address';
  const said = probed.message ?? String(status);
  if (kind === 'exhausted') return { result: 'fault', note: said };
  if (kind === 'rate-limit') return { result: 'throttled', note: said };
  const anonymous = there.find((each) => each.key === null)?.probed;
  const isClosed = isRefused(anonymous);
  if (probed.unsent && by === 'protocol' && kind !== 'network') return { result: 'fault', note: said };
  if (kind === 'auth') {
    const others = there.filter((each) => each.key !== null && each.probed !== probed);
    const isAlone = others.every((each) => isRefused(each.probed));
    // Nobody may see that address, with or without a key: a 403 is about the address then.
    if (by === 'address' && status === 403 && isClosed && isAlone)
      return { result: 'unproven', note: `its address answers 403 to everyone; ${NAME_HEALTH}` };
    return { result: 'fault', note: `refused: ${said}${by === 'health' ? ` at ${where}` : ''}` };
  }
  if (kind === 'ok' && (by === 'protocol' || isClosed)) return { result: 'ok', note: '' };
  if (kind === 'ok')
    return { result: 'unproven', note: `${where} answers without a key too; ${NAME_HEALTH}` };
  return { result: 'unproven', note: said };
}

/** `token minted, expires in 60 min` */
function withToken(note: string, tokenMs: number | null | undefined): string {
  if (tokenMs === undefined) return note;
  const minutes = tokenMs === null ? null : Math.round(tokenMs / 6_000) / 10;
  const life = minutes === null ? '' : `, expires in ${minutes} min`;
  return [`token minted${life}`, note].filter((text) => text !== '').join('; ');
}

function isRefused(probed: ProbeOutcome | undefined): boolean {
  return probed?.status === 401 || probed?.status === 403;
}

function whyNotAsked(key: KeyConfig, config: PoolConfig, endpoints: readonly CheckRow[]): string {
  if (config.auth === 'none') return '"auth": "none" sends no key';
  if (config.endpoints.length === 0) return 'the pool has no endpoint: it goes to the baseURL of the tests';
  const places = placesOf(config, key).map(({ name }) => name);
  if (places.length === 0) return 'its endpoints are disabled';
  const answering = endpoints.some(({ name, result }) => places.includes(name) && result !== 'fault');
  return answering ? 'not asked' : 'no endpoint answers';
}

/** The address of the proxy, without the user that it may name. */
function viaProxy({ proxy }: EndpointConfig, { kind }: ProbeOutcome): string {
  if (proxy === undefined || (kind !== 'network' && kind !== 'timeout')) return '';
  return `, by the proxy ${new URL(proxy).host}`;
}
