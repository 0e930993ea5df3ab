import { classOfCode, classOfText, type FaultClass } from './fault-codes.ts';

/** Why a request got no answer. */
export interface Fault extends FaultClass {
  /** Code of the system, of undici or of the browser, such as ECONNREFUSED; null where none is known. */
  readonly code: string | null;
}

const MAX_DEPTH = 8;
const PROXY_REFUSED = { kind: 'network', unsent: true, local: 'no' } as const;

/**
 * What an error says about why there was no answer, whatever threw it: Node.js, undici (whose `fetch failed` hides the
 * reason in `cause`), Playwright or a browser. Of several addresses that were tried (an AggregateError), one that
 * could have been reached tells more than one that has no route. Null for an unrecognised error.
 */
export function faultOf(error: unknown): Fault | null {
  return known(error, 0);
}

/** The code, and whose fault it may be where that is this machine's. The code comes first, to be found by others. */
export function messageOf({ code, local }: Fault): string | null {
  if (code === null || local === 'no') return code;
  return local === 'yes' ? `${code}: the fault of this machine` : `${code}: no way there from this machine`;
}

function known(error: unknown, depth: number): Fault | null {
  if (depth > MAX_DEPTH || error === null || error === undefined) return null;
  if (typeof error === 'string') return fromText(error);
  if (typeof error !== 'object') return null;
  const { code, name, message, syscall, cause, errors } = error as ErrorLike;
  const inner = Array.isArray(errors) ? worst(errors, depth) : null;
  if (inner) return inner;
  // undici calls a proxy's refusal an abort.
  const refusal = typeof message === 'string' ? /^Proxy response \((\d{3})\)/.exec(message)?.[1] : undefined;
  if (refusal !== undefined) return { ...PROXY_REFUSED, code: `proxy answered ${refusal}` };
  for (const said of [code, name]) {
    const fault = typeof said === 'string' ? classOfCode(said) : null;
    if (!fault) continue;
    // A failed handshake reads like a reset, but nothing was sent yet; a lost route may end a request under way.
    const early = typeof message === 'string' && /before secure TLS connection/.test(message);
    const late = syscall === 'read' || syscall === 'write';
    return { ...fault, unsent: early || (fault.unsent && !late), code: String(said) };
  }
  return known(cause, depth + 1) ?? (typeof message === 'string' ? fromText(message) : null);
}

interface ErrorLike {
  readonly code?: unknown;
  readonly name?: unknown;
  readonly message?: unknown;
  readonly syscall?: unknown;
  readonly cause?: unknown;
  readonly errors?: unknown;
}

function worst(errors: readonly unknown[], depth: number): Fault | null {
  const faults = errors.map((error) => known(error, depth + 1)).filter((fault) => fault !== null);
  return faults.find((fault) => fault.local === 'no') ?? faults[0] ?? null;
}

function fromText(text: string): Fault | null {
  const found = classOfText(text);
  return found && { ...found.fault, code: found.code };
}
