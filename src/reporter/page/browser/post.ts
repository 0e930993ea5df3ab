import type { AdminRequest, EditRequest } from '../../live/messages.ts';
import { param } from './address.ts';

/** Sends a change to the live page's server; rejects where it cannot be reached. */
export async function post(
  path: '/members' | '/config',
  body: AdminRequest | EditRequest,
): Promise<{ readonly ok: boolean; readonly text: string }> {
  const headers = { 'content-type': 'application/json', 'x-gemba-token': param('token') };
  const response = await fetch(path, { method: 'POST', headers, body: JSON.stringify(body) });
  const { text } = (await response.json()) as { readonly text: string };
  return { ok: response.ok, text };
}
