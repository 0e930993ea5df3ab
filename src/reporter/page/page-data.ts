import { VERDICTS } from '../../core/types.ts';
import type { RunHistory } from '../history/history-run.ts';
import type { Report, ReportError, ReportResult, ReportTest } from '../report/model.ts';
import {
  OUTCOMES,
  type PackedData,
  type PackedError,
  type PackedLease,
  type PackedResult,
} from './data-format.ts';
import { memberName } from '../report/member-names.ts';
import { packed } from './packing.ts';
import { memoryOf } from './view-memory.ts';
import { AttemptPacker } from './pack-attempts.ts';
import { safeLink } from './links.ts';
import { StringTable } from './string-table.ts';
import { waitedMsOf } from './waits.ts';
import { isUnmeasured } from './view-tests.ts';

type StringTables = Record<'files' | 'projects' | 'members' | 'evidence' | 'names' | 'messages', StringTable>;

/**
 * All tests and errors for the page's lists, packed: rows of numbers and dictionaries, deflated, base64. It has only
 * letters, digits and `+/=`, so that it is safe in a script element.
 */
export function packPageData(
  report: Report,
  ordered: readonly ReportTest[],
  history: RunHistory | null = null,
): string {
  const texts: StringTables = {
    files: new StringTable(),
    projects: new StringTable(),
    members: new StringTable(),
    evidence: new StringTable(),
    names: new StringTable(),
    messages: new StringTable(),
  };
  const start = Date.parse(report.run.startedAt);
  const isSharded = report.run.shards.total > 1;
  const causes = new Map<string, number>();
  report.causes.forEach(({ tests }, cause) => tests.forEach((id) => causes.set(id, cause)));
  const positions = new Map(ordered.map((test, index) => [test.id, index]));
  const attempts = new AttemptPacker(texts.files);
  const memory = memoryOf(history);
  const outcomes = new StringTable();
  const changes = new StringTable();
  const tests = ordered.map((test): PackedData['tests'][number] => [
    test.title,
    texts.files.index(test.file),
    test.line,
    texts.projects.index(test.project),
    OUTCOMES.indexOf(test.status),
    test.verdict === null ? -1 : VERDICTS.indexOf(test.verdict),
    (test.degraded ? 1 : 0) + (test.pinned ? 2 : 0) + (isUnmeasured(test) ? 4 : 0),
    causes.get(test.id) ?? -1,
    test.results.map((result) => [...packResult(result, { start, isSharded }, texts), attempts.pack(result)]),
    outcomes.indexOrNone(memory.outcomes(test.id)),
    changes.indexOrNone(memory.change(test.id)),
  ]);
  const tags = new StringTable();
  const testTags = ordered.map((test) => test.tags.map((tag) => tags.index(tag)));
  const errors = report.errors.map((error) => packError(error, start, positions, texts));
  const data: PackedData = {
    start,
    files: texts.files.list,
    projects: texts.projects.list,
    members: texts.members.list,
    evidence: texts.evidence.list,
    names: texts.names.list,
    messages: texts.messages.list,
    causes: report.causes.map(({ text }) => text),
    ids: ordered.map(({ id }) => id),
    waits: ordered.map((test) => Math.round(waitedMsOf(test))),
    tags: tags.list,
    testTags,
    tests,
    outcomes: outcomes.list,
    changes: changes.list,
    branch: memory.branch,
    playwrightReport: safeLink(report.run.links.playwrightReport),
    texts: attempts.texts.list,
    traces: attempts.traces.list,
    errors,
  };
  return packed(data);
}

function packError(
  error: ReportError,
  start: number,
  positions: ReadonlyMap<string, number>,
  { names, messages }: StringTables,
): PackedError {
  return [
    Date.parse(error.at) - start,
    names.index(error.pool),
    names.indexOrNone(error.endpoint),
    names.indexOrNone(error.key),
    names.index(error.kind),
    error.status ?? 0,
    messages.index(error.message),
    positions.get(error.testId) ?? -1,
  ];
}

type WithoutAttempt<T> = T extends readonly [...infer Rest, unknown] ? Rest : never;

function packResult(
  result: ReportResult,
  { start, isSharded }: { readonly start: number; readonly isSharded: boolean },
  texts: StringTables,
): WithoutAttempt<PackedResult> {
  return [
    result.retry,
    result.status,
    Math.round(result.durationMs),
    result.verdict === null ? -1 : VERDICTS.indexOf(result.verdict),
    result.evidence.map((text) => texts.evidence.index(text)),
    (isSharded ? result.shard : null) ?? -1,
    result.worker ?? -1,
    result.leases.map((lease) => packLease(lease, texts)),
    Math.round((Date.parse(result.startedAt) - start) / 1000),
    result.refused ? 1 : 0,
  ];
}

function packLease(lease: ReportResult['leases'][number], texts: StringTables): PackedLease {
  const { waitedMs, heldMs, requests, failures, rerouted } = lease;
  const member = texts.members.index(memberName(lease));
  const counts = [member, Math.round(waitedMs), Math.round(heldMs), requests, failures] as const;
  return rerouted ? [...counts, 1] : counts;
}

/** JSON for a script element: nothing in it can end that element or begin a comment. */
export function scriptSafeJson(value: unknown): string {
  return JSON.stringify(value)
    .replaceAll('<', '\\u003c')
    .replaceAll('\u2028', '\\u2028')
    .replaceAll('\u2029', '\\u2029');
}
