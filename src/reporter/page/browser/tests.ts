import { clockTime, count, counted, duration } from '../../../shared/format.ts';
import { INTERRUPTED, OUTCOME_LABELS } from '../data-format.ts';
import { linkToTest } from '../links.ts';
import { STRIP_HEIGHT, stripOf } from '../strip.ts';
import { attemptDetails } from './attempts.ts';
import { param, setParam, showParams, wordsOf } from './address.ts';
import { type ErrorItem, labelMore, linkTo, load, PAGE, type PageData, type TestItem } from './data.ts';
import { loadRequests } from './request-data.ts';
import { byId, type Child, el, findId, svg, targetOf } from './dom.ts';

const TEST_PARAMS: readonly string[] = [
  'outcome',
  'verdict',
  'marked',
  'order',
  'text',
  'cause',
  'file',
  'project',
  'tag',
];
const MAX_FAULTS = 12;

let limit = PAGE;
/** Tests whose details are open, by id. */
const opened = new Set<string>();

export function setUpTests(): void {
  document.addEventListener('click', (event) => {
    const target = targetOf(event);
    if (!target) return;
    if (target.id === 'tests-more') {
      limit += PAGE;
      return void listTests();
    }
    if (target.id === 'tests-clear' || target.id === 'cause-clear') return void clearTests(target.id);
    const cause = target.closest<HTMLElement>('button[data-cause]');
    if (cause) return void showCause(cause.dataset['cause']!);
    const row = target.closest<HTMLElement>('#tests-rows > tr[data-test]');
    if (row && (target.closest('button') || !getSelection()?.toString())) void toggleTest(row);
  });
  addEventListener('hashchange', () => void showLinkedTest());
}

export function areTestsFiltered(): boolean {
  return TEST_PARAMS.some(param);
}

export async function listTests(): Promise<void> {
  const data = await load();
  const rows = findId('tests-rows');
  if (!rows) return;
  const found = findTests(data.tests);
  const shown = Math.min(found.length, limit);
  rows.replaceChildren(...found.slice(0, shown).map(testRow));
  if (found.length === 0) {
    rows.append(el('tr', null, el('td', { colspan: '6', class: 'empty' }, 'No test matches these filters.')));
  }
  for (const row of testRows()) if (opened.has(testOf(row, data).id)) await openTest(row, data);
  byId('tests-shown').textContent = `${count(shown)} of ${counted(found.length, 'test')}`;
  labelMore(byId('tests-more'), found.length - shown);
  byId('tests-clear').hidden = !areTestsFiltered();
  const cause = param('cause') === '' ? undefined : data.causes[Number(param('cause'))];
  byId('cause-chip').hidden = cause === undefined;
  byId('cause-text').textContent = cause === undefined ? '' : `Only: ${cause}`;
}

export function relistTests(): Promise<void> {
  limit = PAGE;
  return listTests();
}

/** `#test=ID` opens that test, also when the list does not show it yet. */
export async function showLinkedTest(): Promise<void> {
  const id = /^#test=(.+)$/.exec(location.hash)?.[1];
  const rows = findId('tests-rows');
  if (id === undefined || !rows) return;
  const data = await load();
  const test = data.byId.get(decoded(id));
  if (!test) return;
  const find = (): HTMLElement | null => rows.querySelector(`tr[data-test="${test.index}"]`);
  if (!find()) rows.prepend(testRow(test));
  const row = find()!;
  if (!isOpen(row)) await openTest(row, data);
  row.scrollIntoView({ block: 'center' });
  buttonOf(row).focus({ preventScroll: true });
}

/** How many rows the list has now. */
export function shownTests(): number {
  return testRows().length;
}

function testRows(): HTMLElement[] {
  return [...document.querySelectorAll<HTMLElement>('#tests-rows > tr[data-test]')];
}

function testOf(row: HTMLElement, data: PageData): TestItem {
  return data.tests[Number(row.dataset['test'])]!;
}

function buttonOf(row: HTMLElement): HTMLElement {
  return row.querySelector('button')!;
}

function isOpen(row: HTMLElement): boolean {
  return buttonOf(row).getAttribute('aria-expanded') === 'true';
}

function testRow(test: TestItem): HTMLElement {
  const { members } = test;
  const last = members.at(-1) ?? '–';
  const others = members.length > 1 ? ` +${members.length - 1}` : '';
  return el(
    'tr',
    { 'data-test': String(test.index) },
    el('td', { class: `outcome ${test.outcome}` }, outcomeLabel(test)),
    el(
      'td',
      { class: 'title' },
      el('button', { type: 'button', 'aria-expanded': 'false' }, test.title),
      test.place,
      ...memoryOf(test),
    ),
    el(
      'td',
      { class: `v ${test.verdict ?? ''}` },
      test.verdict ?? '',
      ...test.marks.map((mark) => el('em', null, mark)),
    ),
    el('td', { class: 'member' }, `${last}${others}`),
    el('td', { class: 'n' }, members.length === 0 ? '–' : duration(test.waitedMs)),
    el('td', { class: 'n' }, test.results.length === 0 ? '–' : duration(test.tookMs)),
  );
}

function outcomeLabel({ outcome, results }: TestItem): string {
  return outcome === 'skipped' && results.at(-1)?.[1] === 'interrupted'
    ? INTERRUPTED
    : OUTCOME_LABELS[outcome];
}

function findTests(tests: readonly TestItem[]): TestItem[] {
  const [outcome, verdict, mark, order, text, cause, file, project, tag] = TEST_PARAMS.map(param);
  const words = wordsOf(text!);
  const found = tests.filter(
    (test) =>
      (!outcome || test.outcome === outcome) &&
      (!verdict || test.verdict === verdict) &&
      (!mark || test.marks.includes(mark)) &&
      (!cause || test.cause === Number(cause)) &&
      (!file || test.file === file) &&
      (!project || test.project === project) &&
      (!tag || test.tags.includes(tag)) &&
      words.every((word) => test.text.includes(word)),
  );
  const field = order === 'slow' ? 'tookMs' : order === 'waited' ? 'waitedMs' : null;
  return field ? found.sort((a, b) => b[field] - a[field]) : found;
}

/** Shows each attempt of a test, with the evidence, its leases and its faults. */
async function openTest(row: HTMLElement, data: PageData): Promise<void> {
  const test = testOf(row, data);
  buttonOf(row).setAttribute('aria-expanded', 'true');
  opened.add(test.id);
  const log = await loadRequests();
  // It may have been closed or replaced meanwhile.
  if (!row.isConnected || !isOpen(row) || row.nextElementSibling?.matches('.details')) return;
  const parts = test.results.map((result) => attemptDetails(test, result, data, log));
  if (parts.length === 0) parts.push(el('p', { class: 'empty' }, 'This test did not run.'));
  const faults = data.errors.filter((error) => error.test === test);
  if (faults.length > 0) parts.push(faultList(faults));
  parts.push(linksOf(test, data));
  row.after(el('tr', { class: 'details' }, el('td', { colspan: '6' }, ...parts)));
}

async function toggleTest(row: HTMLElement): Promise<void> {
  const data = await load();
  if (!isOpen(row)) return openTest(row, data);
  buttonOf(row).setAttribute('aria-expanded', 'false');
  opened.delete(testOf(row, data).id);
  const details = row.nextElementSibling;
  if (details?.matches('.details')) details.remove();
}

function linksOf(test: TestItem, { playwrightReport }: PageData): HTMLElement {
  const report =
    playwrightReport === null
      ? null
      : el('a', { href: linkToTest(playwrightReport, test.id) }, 'Open in Playwright’s report');
  return el('p', { class: 'link-to' }, report, el('a', { href: linkTo(test) }, 'Link to this test'));
}

/** Its last outcomes, and what they say of it. */
function memoryOf({ outcomes, change }: TestItem): Child[] {
  if (outcomes === null) return [];
  const { label, width, viewBox, paths } = stripOf(outcomes);
  const marks = paths.map(({ mark, path }) => svg('path', { class: mark, d: path }));
  const size = { width: String(width), height: String(STRIP_HEIGHT), viewBox };
  const strip = svg('svg', { class: 'strip', role: 'img', 'aria-label': label, ...size }, ...marks);
  return [strip, change];
}

function faultList(faults: readonly ErrorItem[]): HTMLElement {
  const lines = faults.slice(0, MAX_FAULTS).map((error) => {
    const when = el('b', null, `${clockTime(error.at)} ${error.kind}`);
    return el('li', null, when, ` ${error.member}: ${error.message}`);
  });
  if (faults.length > MAX_FAULTS) {
    lines.push(el('li', null, `and ${count(faults.length - MAX_FAULTS)} more in the list of errors`));
  }
  return el('section', null, el('p', { class: 'result' }, el('b', null, 'Faults')), el('ul', null, ...lines));
}

function clearTests(which: string): Promise<void> {
  for (const name of which === 'cause-clear' ? ['cause'] : TEST_PARAMS) setParam(name, '');
  showParams(byId('tests'));
  byId('tests-title').focus({ preventScroll: true });
  return relistTests();
}

async function showCause(cause: string): Promise<void> {
  for (const name of TEST_PARAMS) setParam(name, '');
  setParam('cause', cause);
  showParams(byId('tests'));
  await relistTests();
  byId('tests').scrollIntoView();
  byId('cause-clear').focus({ preventScroll: true });
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
