import type { Verdict } from '../../core/types.ts';
import { count, counted, encodedPart } from '../../shared/format.ts';
import { getOrCreate } from '../collect/counts.ts';
import type { Report, ReportTest, TestOutcome } from '../report/model.ts';

/** Tests that ran at several endpoints, which they named: a row a test, a column an endpoint. */
export interface MatrixView {
  readonly note: string;
  readonly columns: readonly string[];
  readonly rows: readonly MatrixRow[];
  /** Rows that the page shows on demand. */
  readonly rest: readonly MatrixRow[];
  readonly showRest: string;
  /** How many rows the page does not have; empty where it has all. */
  readonly cut: string;
}

interface MatrixRow {
  readonly title: string;
  readonly place: string;
  readonly differs: boolean;
  readonly cells: readonly MatrixCell[];
}

interface MatrixCell {
  readonly outcome: TestOutcome | 'none';
  /** `failed`, `failed 2 of 3` */
  readonly text: string;
  readonly verdict: Verdict | null;
  /** Of the test that failed there; empty where none did. */
  readonly id: string;
}

/** Cells that the markup has, and those that the page has. */
const FIRST_CELLS = 120;
const MAX_CELLS = 2000;
const [MIN_ROWS, MAX_ROWS] = [3, 12];

const TEXTS: Readonly<Record<TestOutcome, string>> = {
  unexpected: 'failed',
  flaky: 'flaky',
  expected: 'passed',
  skipped: 'skipped',
};
/** The worst of several runs of a test at one endpoint is shown. */
const WORST_FIRST: readonly TestOutcome[] = ['unexpected', 'flaky', 'expected', 'skipped'];

/**
 * Compares endpoints by the tests that were pinned to several of them. Null where none was: in a rotation a test runs at one
 * endpoint at a time, which says nothing about the others.
 */
export function matrixView(report: Report): MatrixView | null {
  const compared = comparedTests(report.tests);
  if (compared.length === 0) return null;
  const columns = columnsOf(report, compared);
  const rows = compared.map((tests) => toRow(tests, columns)).sort((a, b) => rank(a) - rank(b));
  const first = Math.min(MAX_ROWS, Math.max(MIN_ROWS, Math.floor(FIRST_CELLS / columns.length)));
  const all = rows.slice(0, Math.max(first, Math.floor(MAX_CELLS / columns.length)));
  const rest = all.slice(first);
  return {
    note: noteOf(rows),
    columns: columns.map(({ label }) => label),
    rows: all.slice(0, first),
    rest,
    showRest: `Show ${counted(rest.length, 'more test')}`,
    cut: cutOf(rows.slice(all.length)),
  };
}

/** Runs of one test by the endpoint that they named. */
type ByTarget = ReadonlyMap<string, readonly ReportTest[]>;

/** Tests with the same file and title that named several targets. */
function comparedTests(tests: readonly ReportTest[]): ByTarget[] {
  const byTest = new Map<string, Map<string, ReportTest[]>>();
  for (const test of tests) {
    if (!test.pin) continue;
    const targets = getOrCreate(byTest, JSON.stringify([test.file, test.title]), () => new Map());
    getOrCreate(targets, targetOf(test.pin), () => []).push(test);
  }
  return [...byTest.values()].filter(({ size }) => size > 1);
}

function targetOf({ pool, to }: { readonly pool: string; readonly to: string }): string {
  return JSON.stringify([pool, to]);
}

interface Column {
  readonly target: string;
  readonly label: string;
}

/** In the order of the pools' endpoints; targets outside of them last. */
function columnsOf({ pools }: Report, compared: readonly ByTarget[]): Column[] {
  const named = new Set(compared.flatMap((targets) => [...targets.keys()]));
  const known = pools.flatMap(({ name, endpoints }) => {
    return endpoints.map((endpoint) => targetOf({ pool: name, to: endpoint.name }));
  });
  const targets = [
    ...known.filter((target) => named.has(target)),
    ...[...named].filter((target) => !known.includes(target)),
  ];
  const parts = targets.map((target) => JSON.parse(target) as [pool: string, to: string]);
  const hasOnePool = new Set(parts.map(([pool]) => pool)).size === 1;
  return targets.map((target, index) => {
    const [pool, to] = parts[index]!;
    return { target, label: hasOnePool ? to : `${pool}/${to}` };
  });
}

function toRow(targets: ByTarget, columns: readonly Column[]): MatrixRow {
  const { title, file, line } = [...targets.values()].flat()[0]!;
  const cells = columns.map(({ target }) => toCell(targets.get(target) ?? []));
  // Where it did not run, nothing is known to compare.
  const results = cells
    .filter(({ outcome }) => outcome !== 'none' && outcome !== 'skipped')
    .map(({ outcome, verdict }) => `${outcome} ${verdict}`);
  return { title, place: `${file}:${line}`, differs: new Set(results).size > 1, cells };
}

function toCell(tests: readonly ReportTest[]): MatrixCell {
  const worst = tests.toSorted((a, b) => WORST_FIRST.indexOf(a.status) - WORST_FIRST.indexOf(b.status))[0];
  if (!worst) return { outcome: 'none', text: '–', verdict: null, id: '' };
  const { status, verdict, results, id } = worst;
  const alike = tests.filter((test) => test.status === status).length;
  const isInterrupted = status === 'skipped' && results.at(-1)?.status === 'interrupted';
  const text = isInterrupted ? 'interrupted' : TEXTS[status];
  return {
    outcome: status,
    text: alike === tests.length ? text : `${text} ${count(alike)} of ${count(tests.length)}`,
    verdict,
    id: verdict === null ? '' : encodedPart(id),
  };
}

/** Differences first, then what failed everywhere, then the rest in the run's order. */
function rank({ differs, cells }: MatrixRow): number {
  if (differs) return 0;
  return cells.some(({ verdict }) => verdict !== null) ? 1 : 2;
}

function noteOf(rows: readonly MatrixRow[]): string {
  const differ = rows.filter(({ differs }) => differs).length;
  const ran = `${counted(rows.length, 'test')} ran at several endpoints`;
  if (differ === 0) return `${ran}, with the same result everywhere.`;
  return `${ran}; ${count(differ)} of them ${differ === 1 ? 'has' : 'have'} different results.`;
}

function cutOf(rows: readonly MatrixRow[]): string {
  if (rows.length === 0) return '';
  const differ = rows.filter(({ differs }) => differs).length;
  const others = counted(rows.length, 'more test');
  return `${others} ${differ === 0 ? 'with the same result everywhere' : `(${count(differ)} with different results)`} not shown here: see the list of tests.`;
}
