import { duration } from '../../shared/format.ts';
import type { ReportTest, ReportWaited } from '../report/model.ts';

/** All that a test waited: for leases, for rate limits and before request retries, as `totals.waitedMs` counts it. */
export function waitedMsOf({ results }: ReportTest): number {
  return results.reduce(
    (sum, { waited }) => sum + waited.leasesMs + waited.rateLimitsMs + waited.retriesMs,
    0,
  );
}

/** `leases 1.2 s, rate limits 4 s, request retries 0 ms` */
export function waitedText({ leasesMs, rateLimitsMs, retriesMs }: ReportWaited): string {
  return `leases ${duration(leasesMs)}, rate limits ${duration(rateLimitsMs)}, request retries ${duration(retriesMs)}`;
}
