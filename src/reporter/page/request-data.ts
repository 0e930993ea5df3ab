import type { Report, ReportRequest, ReportTest } from '../report/model.ts';
import { type PackedRequestLog, type RequestSpan, RECOVERIES } from './data-format.ts';
import { packed } from './packing.ts';
import { StringTable } from './string-table.ts';

/** Lists with one entry a request, as `PackedRequestLog` has them. */
type Columns = Record<
  'at' | 'call' | 'member' | 'kind' | 'status' | 'tookMs' | 'waitedMs' | 'recovered',
  number[]
>;

/** The requests of all attempts, for the request log and the details of tests. `ordered` as in the list of tests. */
export function packRequests(report: Report, ordered: readonly ReportTest[]): string {
  const start = Date.parse(report.run.startedAt);
  const calls = new StringTable();
  const kinds = new StringTable();
  // Pool, endpoint and key of a request, each combination kept once.
  const members = new StringTable();
  const attempts: RequestSpan[] = [];
  const columns: Columns = {
    at: [],
    call: [],
    member: [],
    kind: [],
    status: [],
    tookMs: [],
    waitedMs: [],
    recovered: [],
  };
  let before = start;
  ordered.forEach(({ results }, test) => {
    for (const { retry, requests, requestsOmitted } of results) {
      if (requests.length === 0 && requestsOmitted === 0) continue;
      attempts.push([test, retry, requests.length, requestsOmitted]);
      for (const request of requests) {
        const at = Date.parse(request.at);
        columns.at.push(at - before);
        before = at;
        columns.call.push(calls.index(callOf(request)));
        columns.member.push(members.index(JSON.stringify([request.pool, request.endpoint, request.key])));
        columns.kind.push(kinds.index(request.kind));
        columns.status.push(request.status ?? 0);
        columns.tookMs.push(request.durationMs === null ? -1 : shortMs(request.durationMs));
        columns.waitedMs.push(shortMs(request.waitedMs));
        columns.recovered.push(RECOVERIES.indexOf(request.recovered));
      }
    }
  });
  const data: PackedRequestLog = {
    start,
    calls: calls.list,
    members: members.list.map((member) => JSON.parse(member) as PackedRequestLog['members'][number]),
    kinds: kinds.list,
    attempts,
    ...columns,
  };
  return packed(data);
}

/** `GET /orders` */
export function callOf({ method, path }: ReportRequest): string {
  return path === '' ? method : `${method} ${path}`;
}

/** Tenths count only where a reader sees them. */
function shortMs(ms: number): number {
  return ms < 10 ? Math.round(ms * 10) / 10 : Math.round(ms);
}
