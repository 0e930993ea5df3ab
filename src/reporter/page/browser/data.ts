import {
  OUTCOMES,
  type PackedData,
  type PackedError,
  type PackedResult,
  type PackedTest,
  TEST_MARKS,
} from '../data-format.ts';
import { VERDICTS, type Verdict } from '../../../core/types.ts';
import { count, encodedPart } from '../../../shared/format.ts';
import type { TestOutcome } from '../../report/model.ts';
import { byId } from './dom.ts';

/** Rows that a list shows at once, and that "Show more" adds. */
export const PAGE = 50;

export interface TestItem {
  readonly index: number;
  readonly id: string;
  readonly title: string;
  readonly place: string;
  readonly file: string;
  readonly project: string;
  readonly tags: readonly string[];
  readonly members: readonly string[];
  readonly cause: number;
  readonly results: readonly PackedResult[];
  readonly outcome: TestOutcome;
  readonly verdict: Verdict | null;
  readonly marks: readonly string[];
  /** One letter a run; null without earlier runs. */
  readonly outcomes: string | null;
  /** `new failure` */
  readonly change: string | null;
  readonly tookMs: number;
  readonly waitedMs: number;
  /** What the search looks at, in lower case. */
  readonly text: string;
}

/** The filters of the error log, with the values of an error that each of them fits. */
export interface ErrorFilters {
  readonly 'error-pool': readonly string[];
  readonly 'error-member': readonly string[];
  readonly 'error-kind': readonly string[];
  readonly 'error-status': readonly string[];
  readonly 'error-verdict': readonly string[];
}

export interface ErrorItem {
  readonly at: number;
  readonly test: TestItem | undefined;
  readonly message: string;
  readonly member: string;
  /** `server 503` */
  readonly kind: string;
  readonly filters: ErrorFilters;
  readonly text: string;
}

export interface PageData extends Omit<PackedData, 'tests' | 'errors'> {
  readonly tests: readonly TestItem[];
  readonly errors: readonly ErrorItem[];
  readonly byId: ReadonlyMap<string, TestItem>;
}

let loading: Promise<PageData> | undefined;

/** Unpacks the data once, when it is first needed. */
export function load(): Promise<PageData> {
  return (loading ??= unpack());
}

/** The live page has replaced the data. */
export function forgetData(): void {
  loading = undefined;
}

/** The data that the page carries in an element. */
export async function unpackElement<T>(id: string): Promise<T> {
  const bytes = Uint8Array.from(atob(byId(id).textContent), (sign) => sign.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate-raw'));
  return (await new Response(stream).json()) as T;
}

async function unpack(): Promise<PageData> {
  const data = await unpackElement<PackedData>('page-data');
  const tests = data.tests.map((row, index) => toTest(row, index, data));
  return {
    ...data,
    tests,
    errors: data.errors.map((row) => toError(row, data, tests)),
    byId: new Map(tests.map((test) => [test.id, test])),
  };
}

function toTest(row: PackedTest, index: number, data: PackedData): TestItem {
  const [title, file, line, project, outcome, verdict, marks, cause, results, outcomes, change] = row;
  const leases = results.flatMap((result) => result[7]);
  const members = [...new Set(leases.map(([member]) => data.members[member]!))];
  const projectName = data.projects[project]!;
  const tags = data.testTags[index]!.map((tag) => data.tags[tag]!);
  const place = `${data.files[file]}:${line}${projectName ? ` · ${projectName}` : ''}`;
  return {
    index,
    id: data.ids[index]!,
    title,
    place,
    file: data.files[file]!,
    project: projectName,
    tags,
    members,
    cause,
    results,
    outcome: OUTCOMES[outcome]!,
    verdict: VERDICTS[verdict] ?? null,
    marks: TEST_MARKS.filter((_mark, bit) => marks & (1 << bit)),
    outcomes: data.outcomes[outcomes] ?? null,
    change: data.changes[change] ?? null,
    tookMs: results.reduce((sum, result) => sum + result[2], 0),
    waitedMs: data.waits[index]!,
    text: [title, place, ...tags, ...members, data.changes[change] ?? ''].join(' ').toLowerCase(),
  };
}

function toError(row: PackedError, data: PackedData, tests: readonly TestItem[]): ErrorItem {
  const [at, pool, endpoint, key, kind, status, message, testIndex] = row;
  const [poolName = '', ...names] = [pool, endpoint, key].map((index) => data.names[index] ?? '');
  const test = tests[testIndex];
  const kindName = data.names[kind]!;
  const text = data.messages[message]!;
  return {
    at: data.start + at,
    test,
    message: text,
    member: [poolName, ...names].filter(Boolean).join('/'),
    kind: status ? `${kindName} ${status}` : kindName,
    filters: {
      'error-pool': [poolName],
      'error-member': names.filter(Boolean).map((name) => `${poolName}/${name}`),
      'error-kind': [kindName],
      'error-status': [status ? String(status) : 'no response'],
      'error-verdict': [test?.verdict ?? 'none'],
    },
    text: `${poolName} ${names.join(' ')} ${kindName} ${text} ${test?.title ?? ''}`.toLowerCase(),
  };
}

export function linkTo({ id }: TestItem): string {
  return `#test=${encodedPart(id)}`;
}

export function labelMore(button: HTMLElement, left: number): void {
  button.hidden = left <= 0;
  button.textContent = `Show ${count(Math.min(PAGE, left))} more`;
}
