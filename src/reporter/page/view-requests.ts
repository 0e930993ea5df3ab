import { clockTime, count, counted, duration, encodedPart } from '../../shared/format.ts';
import { memberName } from '../report/member-names.ts';
import type { Report, ReportRequest, ReportTest } from '../report/model.ts';
import { FIRST_REQUESTS } from './data-format.ts';
import { callOf } from './request-data.ts';

/** Choices of one filter; the search finds the rest. */
const MAX_CHOICES = 10;
const NONE = '–';

export interface RequestsView {
  /** The first ones; the script lists the others. */
  readonly rows: readonly RequestRow[];
  readonly note: string;
  readonly filters: readonly RequestFilter[];
  readonly shown: string;
  /** How many the script can list. */
  readonly listed: string;
}

interface RequestRow {
  readonly at: string;
  readonly call: string;
  readonly member: string;
  readonly result: string;
  readonly isFault: boolean;
  readonly recovery: string;
  readonly didWait: boolean;
  readonly waited: string;
  readonly took: string;
  readonly id: string;
  readonly test: string;
}

interface RequestFilter {
  /** Its name in the page’s address. */
  readonly param: string;
  readonly label: string;
  readonly choices: readonly { readonly value: string; readonly label: string }[];
}

interface Listed {
  readonly request: ReportRequest;
  readonly test: ReportTest;
}

/** The request log of the run; null where no request was listed. */
export function requestsView(report: Report): RequestsView | null {
  const { listed, omitted } = listedRequests(report.tests);
  if (listed.length === 0) return null;
  return {
    rows: firstRows(listed).map(toRow),
    note: noteOf(listed.length, omitted),
    filters: filtersOf(listed.map(({ request }) => request)),
    shown: `${count(Math.min(FIRST_REQUESTS, listed.length))} of ${counted(listed.length, 'request')}`,
    listed: String(listed.length),
  };
}

function listedRequests(tests: readonly ReportTest[]): { listed: Listed[]; omitted: number } {
  const listed: Listed[] = [];
  let omitted = 0;
  for (const test of tests) {
    for (const { requests, requestsOmitted } of test.results) {
      for (const request of requests) listed.push({ request, test });
      omitted += requestsOmitted;
    }
  }
  return { listed, omitted };
}

function noteOf(listed: number, omitted: number): string {
  if (omitted === 0) return `All ${counted(listed, 'request')} of the run’s tests.`;
  return (
    `${count(listed)} of ${counted(listed + omitted, 'request')}: all of failed attempts and of retries, and of passed ` +
    `attempts the first ones of the run. ${counted(omitted, 'request is', 'requests are')} not listed; all totals include them.`
  );
}

/** In the order of time, as the script lists them. */
function firstRows(listed: readonly Listed[]): Listed[] {
  let [first, last]: [Listed[], string] = [[], ''];
  for (const each of listed) {
    if (first.length >= FIRST_REQUESTS && each.request.at >= last) continue;
    first.push(each);
    first = first.sort((a, b) => (a.request.at < b.request.at ? -1 : Number(a.request.at > b.request.at)));
    first.length = Math.min(first.length, FIRST_REQUESTS);
    last = first.at(-1)!.request.at;
  }
  return first;
}

function filtersOf(requests: readonly ReportRequest[]): RequestFilter[] {
  const filters: RequestFilter[] = [
    { param: 'request-status', label: 'Status', choices: choices(requests, statusOf) },
    { param: 'request-result', label: 'Result', choices: choices(requests, resultsOf) },
    { param: 'request-member', label: 'Member', choices: choices(requests, membersOf) },
  ];
  return filters.filter((filter) => filter.choices.length > 0);
}

function statusOf({ status }: ReportRequest): string[] {
  return [status === null ? 'no response' : String(status)];
}

/** The filter’s values are the kinds, and what followed on a fault. */
function resultsOf({ kind, recovered }: ReportRequest): string[] {
  if (recovered === null) return [kind];
  return [kind, recovered ? 'recovered' : 'ended its call'];
}

function membersOf({ pool, endpoint, key }: ReportRequest): string[] {
  return [endpoint, key].filter((name) => name !== null).map((name) => `${pool}/${name}`);
}

function choices(
  requests: readonly ReportRequest[],
  valuesOf: (request: ReportRequest) => readonly string[],
): { value: string; label: string }[] {
  const counts = new Map<string, number>();
  for (const request of requests)
    for (const value of valuesOf(request)) counts.set(value, (counts.get(value) ?? 0) + 1);
  const sorted = [...counts].sort(([, a], [, b]) => b - a).slice(0, MAX_CHOICES);
  return sorted.map(([value, times]) => ({ value, label: `${value} (${count(times)})` }));
}

function toRow({ request, test }: Listed): RequestRow {
  const { at, kind, status, durationMs, waitedMs, recovered } = request;
  return {
    at: clockTime(Date.parse(at)),
    call: callOf(request),
    member: memberName(request),
    result: status === null ? kind : `${kind} ${status}`,
    isFault: recovered !== null,
    recovery: recovered === null ? '' : recovered ? 'recovered' : 'ended its call',
    didWait: waitedMs >= 0.5,
    waited: waitedMs >= 0.5 ? duration(waitedMs) : NONE,
    took: durationMs === null ? NONE : duration(durationMs),
    id: encodedPart(test.id),
    test: test.title,
  };
}
