import { VERDICTS } from '../../core/types.ts';
import { deflateRawSync } from 'node:zlib';
import { memberName } from './timeline-rows.ts';
import type { Report, ReportError, ReportResult, ReportTest } from '../report/model.ts';
import { isUnmeasured } from './view-tests.ts';

/** Order that the page's script knows the words by. */
const OUTCOMES = ['unexpected', 'flaky', 'expected', 'skipped'] as const;

/** Texts by number, each kept once. */
class Texts {
  readonly list: string[] = [];
  private readonly numbers = new Map<string, number>();

  number(text: string): number {
    const known = this.numbers.get(text);
    if (known !== undefined) return known;
    this.numbers.set(text, this.list.length);
    return this.list.push(text) - 1;
  }

  orNone(text: string | null): number {
    return text === null ? -1 : this.number(text);
  }
}

type Dictionaries = Record<'files' | 'projects' | 'members' | 'evidence' | 'names' | 'messages', Texts>;

/**
 * All tests and errors for the page's lists, packed: rows of numbers and dictionaries, deflated, base64. Only
 * letters, digits and `+/=`, so it can stand in a script element as it is.
 */
export function packIsland(report: Report, ordered: readonly ReportTest[]): string {
  const texts: Dictionaries = {
    files: new Texts(),
    projects: new Texts(),
    members: new Texts(),
    evidence: new Texts(),
    names: new Texts(),
    messages: new Texts(),
  };
  const start = Date.parse(report.run.startedAt);
  const sharded = report.run.shards.total > 1;
  const causes = new Map<string, number>();
  report.causes.forEach(({ tests }, cause) => tests.forEach((id) => causes.set(id, cause)));
  const positions = new Map(ordered.map((test, index) => [test.id, index]));
  const tests = ordered.map((test) => [
    test.title,
    texts.files.number(test.file),
    test.line,
    texts.projects.number(test.project),
    OUTCOMES.indexOf(test.status),
    test.verdict === null ? -1 : VERDICTS.indexOf(test.verdict),
    (test.degraded ? 1 : 0) + (test.pinned ? 2 : 0) + (isUnmeasured(test) ? 4 : 0),
    causes.get(test.id) ?? -1,
    test.results.map((result) => packResult(result, { start, sharded }, texts)),
  ]);
  const errors = report.errors.map((error) => packError(error, start, positions, texts));
  const lists = Object.fromEntries(Object.entries(texts).map(([name, { list }]) => [name, list]));
  // By themselves they are deflated better than between what differs.
  const ids = ordered.map(({ id }) => id);
  const causeTexts = report.causes.map(({ text }) => text);
  const packed = JSON.stringify({ start, ...lists, causes: causeTexts, ids, tests, errors });
  // Half the time of the usual level, and a twentieth larger.
  return deflateRawSync(packed, { level: 4 }).toString('base64');
}

function packError(
  error: ReportError,
  start: number,
  positions: ReadonlyMap<string, number>,
  { names, messages }: Dictionaries,
): unknown[] {
  return [
    Date.parse(error.at) - start,
    names.number(error.pool),
    names.orNone(error.endpoint),
    names.orNone(error.key),
    names.number(error.kind),
    error.status ?? 0,
    messages.number(error.message),
    positions.get(error.testId) ?? -1,
  ];
}

function packResult(
  result: ReportResult,
  { start, sharded }: { readonly start: number; readonly sharded: boolean },
  texts: Dictionaries,
): unknown[] {
  return [
    result.retry,
    result.status,
    Math.round(result.durationMs),
    result.verdict === null ? -1 : VERDICTS.indexOf(result.verdict),
    result.evidence.map((text) => texts.evidence.number(text)),
    (sharded ? result.shard : null) ?? -1,
    result.worker ?? -1,
    result.leases.map((lease) => [
      texts.members.number(memberName(lease)),
      Math.round(lease.waitedMs),
      Math.round(lease.heldMs),
      lease.requests,
      lease.failures,
    ]),
    // Seconds are enough for people.
    Math.round((Date.parse(result.startedAt) - start) / 1000),
    ...(result.refused ? [1] : []),
  ];
}

/** JSON that can stand in a script element: nothing in it can end that element or begin a comment. */
export function scriptSafeJson(value: unknown): string {
  return JSON.stringify(value)
    .replaceAll('<', '\\u003c')
    .replaceAll('\u2028', '\\u2028')
    .replaceAll('\u2029', '\\u2029');
}
