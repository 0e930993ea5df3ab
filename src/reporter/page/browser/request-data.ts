import { type PackedRequestLog, RECOVERIES, type RequestSpan } from '../data-format.ts';
import { unpackElement } from './data.ts';

/** One request of an attempt, as the page shows it. */
export interface RequestItem {
  readonly at: number;
  /** `GET /orders` */
  readonly call: string;
  /** `api/eu/ci-1` */
  readonly member: string;
  /** `server 503` */
  readonly result: string;
  /** True: a later success made up for the fault. Null: no fault. */
  readonly recovered: boolean | null;
  /** Null where no response came. */
  readonly tookMs: number | null;
  readonly waitedMs: number;
  /** Position of its test in the list of tests. */
  readonly test: number;
}

/** The requests of one attempt: those that the report lists, and how many it leaves out. */
export interface AttemptRequests {
  readonly requests: readonly RequestItem[];
  readonly omitted: number;
}

/** The request log. A request is a position in its lists: a run has a hundred thousand, and a page shows fifty. */
export interface ShownRequests {
  readonly length: number;
  readonly data: PackedRequestLog;
  /** Milliseconds since the epoch, one a request. */
  readonly at: Float64Array;
  /** Positions of tests, one a request. */
  readonly test: Int32Array;
  item: (index: number) => RequestItem;
  ofAttempt: (test: number, retry: number) => AttemptRequests;
}

let loading: Promise<ShownRequests> | undefined;

/** Unpacks the requests once, when they are first needed. */
export function loadRequests(): Promise<ShownRequests> {
  return (loading ??= unpackElement<PackedRequestLog>('request-data').then(toLog));
}

/** The live page has replaced the data. */
export function forgetRequests(): void {
  loading = undefined;
}

function toLog(data: PackedRequestLog): ShownRequests {
  const { length } = data.call;
  const at = new Float64Array(length);
  const test = new Int32Array(length);
  let moment = data.start;
  for (let index = 0; index < length; index++) at[index] = moment += data.at[index]!;
  const attempts = new Map<string, { from: number; attempt: RequestSpan }>();
  let from = 0;
  for (const attempt of data.attempts) {
    const [ofTest, retry, requests] = attempt;
    test.fill(ofTest, from, from + requests);
    attempts.set(`${ofTest} ${retry}`, { from, attempt });
    from += requests;
  }
  const item = (index: number): RequestItem => toItem(data, index, at[index]!, test[index]!);
  return {
    length,
    data,
    at,
    test,
    item,
    ofAttempt: (ofTest, retry) => {
      const found = attempts.get(`${ofTest} ${retry}`);
      if (!found) return { requests: [], omitted: 0 };
      const [, , requests, omitted] = found.attempt;
      return { requests: Array.from({ length: requests }, (_, index) => item(found.from + index)), omitted };
    },
  };
}

function toItem(data: PackedRequestLog, index: number, at: number, test: number): RequestItem {
  const kind = data.kinds[data.kind[index]!]!;
  const status = data.status[index]!;
  const tookMs = data.tookMs[index]!;
  return {
    at,
    call: data.calls[data.call[index]!]!,
    member: data.members[data.member[index]!]!.filter(Boolean).join('/'),
    result: status ? `${kind} ${status}` : kind,
    recovered: RECOVERIES[data.recovered[index]!] ?? null,
    tookMs: tookMs < 0 ? null : tookMs,
    waitedMs: data.waitedMs[index]!,
    test,
  };
}
