import type { OutcomeKind } from '../../core/types.ts';
import type { ErrorBody } from '../error-body.ts';

/** A row of a vendor's table of errors; all its conditions must hold. The first row that fits decides. */
export interface ErrorRow {
  readonly status: number | readonly number[];
  /** One of these stands in the body as a code, type, status, reason or name of a quota. */
  readonly code?: readonly string[] | RegExp;
  /** What the error's message says. */
  readonly says?: RegExp;
  readonly as: OutcomeKind;
  /** How long the body asks to wait; what headers ask for counts beside it, and the later wins. */
  readonly asksMs?: (error: ErrorBody) => number | null;
  /** How long it lasts, whatever headers say; null: not known. */
  readonly lastsMs?: (error: ErrorBody, now: number) => number | null;
  /** The limit is the asked model's: the key's other models go on. */
  readonly perModel?: true;
  /** In a few words, for people. */
  readonly why: string;
}

/** A cheap request that only a valid key gets through. Its path is appended to the API's root. */
interface KeyProbe {
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What is special about a vendor. */
export interface ProtocolTable {
  readonly errors: readonly ErrorRow[];
  /** The probe for an endpoint of this base path (no slash at its end), or null where none proves a key. */
  readonly probe: (basePath: string) => KeyProbe | null;
  /** A header that keeps the vendor's own client from retrying what was retried already; null where it knows none. */
  readonly noRetry: readonly [name: string, value: string] | null;
  /** Where a request names its model. */
  readonly model: { readonly field?: string; readonly path?: RegExp } | null;
  /** Headers by which the vendor's clients send a key, besides the one that the vendor reads (names in lower case). */
  readonly clientAuth?: readonly string[];
  /** The path that the vendor's clients expect in their base address, where an endpoint has none. Default: none. */
  readonly clientPath?: string;
}
