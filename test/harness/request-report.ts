import type { RequestOutcome, RequestReport } from '../../src/core/request-outcome.ts';

/** A report with its outcome's fields beside its own: tests name only what matters to them. */
export type FlatReport = Partial<Omit<RequestReport, 'outcome'> & RequestOutcome> &
  Pick<RequestOutcome, 'kind'>;

export function requestReport({
  call = 'c',
  request = 1,
  signature = null,
  route = null,
  identity = null,
  model,
  endpoint = null,
  key = null,
  ...outcome
}: FlatReport): RequestReport {
  const usual = { status: null, durationMs: 10, retryAfterMs: null, unsent: false, auth: 'leased' } as const;
  return {
    call,
    request,
    signature,
    route,
    identity,
    ...(model === undefined ? {} : { model }),
    endpoint,
    key,
    outcome: { ...usual, ...outcome },
  };
}
