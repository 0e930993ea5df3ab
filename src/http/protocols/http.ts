import type { ProtocolTable } from './types.ts';

/**
 * Plain HTTP (RFC 9110, RFC 6585). A 403 with a pause or with nothing left of a limit is a limit: so GitHub's API and
 * others answer.
 */
export const http: ProtocolTable = {
  errors: [],
  probe: () => null,
  noRetry: null,
  model: null,
};
