import type { LoadedConfig } from '../../config/types.ts';
import { probeFor } from '../../fixtures/probe.ts';
import { NO_TRUST } from '../../http/tls.ts';
import type { ActionResult } from './server.ts';

/** Asks an endpoint, or a key at its first endpoint, whether it works. The answer changes no state. */
export async function checkMember(config: LoadedConfig, pool: string, name: string): Promise<ActionResult> {
  const { endpoints = [], keys = [] } = config.pools[pool] ?? {};
  const key = keys.find((each) => each.name === name);
  const place = key
    ? endpoints.find((each) => each.enabled && (key.endpoints?.includes(each.name) ?? true))
    : endpoints.find((each) => each.name === name);
  if (!place) {
    const why = key ? 'there is no endpoint to check it at' : 'the configuration has no such member';
    return { status: key ? 200 : 404, text: `${pool}/${name} was not checked: ${why}.` };
  }
  const named = { pool, probe: '', endpoint: { id: '', name: place.name } };
  const result = await probeFor(config.pools, { ...named, key: key ? { id: '', name } : null }, NO_TRUST);
  const { kind, status, code } = result;
  const answer = status === null ? (code ?? 'no answer') : String(status);
  if (kind === 'ok') return { status: 200, text: `${pool}/${name} works (${answer}).` };
  if (kind === 'caller')
    return { status: 200, text: `${pool}/${name} answers, which proves nothing (${answer}).` };
  return { status: 200, text: `${pool}/${name} does not work: ${kind} (${answer}).` };
}
