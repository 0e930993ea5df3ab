import { LIMITS } from '../core/limits.ts';
import type { Protocol } from '../core/types.ts';
import { PROTOCOLS } from './protocols/index.ts';

/** A longer body is not read as a whole. */
const MAX_TEXT = 1_000_000;

/**
 * The model that a request is for, as its protocol names it: in the path, else in the body; null where neither does.
 * `body` is read only where it is text.
 */
export function modelOf(protocol: Protocol, path: string, body: unknown): string | null {
  return namedModel(protocol, path, body)?.slice(0, LIMITS.name) || null;
}

function namedModel(protocol: Protocol, path: string, body: unknown): string | null {
  const { model } = PROTOCOLS[protocol];
  if (!model) return null;
  const inPath = model.path?.exec(path)?.[1];
  if (inPath !== undefined) return decoded(inPath);
  return model.field === undefined || typeof body !== 'string' ? null : inBody(model.field, body);
}

function inBody(field: string, body: string): string | null {
  if (body.length > MAX_TEXT) return new RegExp(`"${field}"\\s*:\\s*"([^"\\\\]+)"`).exec(body)?.[1] ?? null;
  try {
    const value: unknown = (JSON.parse(body) as Record<string, unknown> | null)?.[field];
    return typeof value === 'string' ? value : null;
  } catch {
    return null;
  }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
