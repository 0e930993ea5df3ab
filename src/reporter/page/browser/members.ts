import { count } from '../../../shared/format.ts';
import type { PackedMembers } from '../data-format.ts';
import type { MemberRow, MemberSort } from '../member-rows.ts';
import { param, setParam, showParams, wordsOf } from './address.ts';
import { unpackElement } from './data.ts';
import { byId, el, findId, svg, targetOf } from './dom.ts';
import { revealRest } from './reveal.ts';

const PARAMS = ['member-state', 'member-text', 'member-sort'] as const;
/** Rows of one table that are added at once. */
const STEP = 500;
const NONE = '–';

let loading: Promise<PackedMembers> | undefined;
/** Rows of each table, where the reader wants more than the markup has. */
const limits = new Map<string, number>();
/** Members whose details are open: the table's id and the member's name. */
const opened = new Set<string>();

/** The tables of the pools: searched, filtered and sorted, and each member's details. */
export function setUpMembers(): void {
  document.addEventListener('click', (event) => {
    const target = targetOf(event);
    if (!target) return;
    const more = target.closest<HTMLElement>('button[data-more-members]');
    if (more) return void showMore(more);
    const sort = target.closest<HTMLElement>('button[data-sort]');
    if (sort) return void sortBy(sort.dataset['sort']!);
    if (target.id === 'members-clear') return void clear();
    const row = target.closest<HTMLElement>('tr[data-member]');
    if (row && (target.closest('button') || !getSelection()?.toString())) void toggle(row);
  });
}

/** The live page has replaced the data. */
export function forgetMembers(): void {
  loading = undefined;
}

/** Lists what the address and the reader asked for; else the tables stay as the markup has them. */
export async function showMembers(): Promise<void> {
  if (PARAMS.some(param) || limits.size > 0 || opened.size > 0) await listMembers();
}

export async function listMembers(): Promise<void> {
  const data = await load();
  if (PARAMS.some(param)) revealRest('pools');
  for (const table of document.querySelectorAll<HTMLTableElement>('table[data-members]')) {
    listTable(table, data[idOf(table)] ?? { rows: [], first: 0 });
  }
  const pools = [...document.querySelectorAll<HTMLElement>('#pools .pool')];
  for (const pool of pools) {
    const parts = [...pool.querySelectorAll<HTMLElement>('.scroll')];
    pool.hidden = isFiltered() && parts.every(({ hidden }) => hidden);
  }
  const none = findId('members-none');
  if (!none) return;
  none.hidden = pools.some(({ hidden }) => !hidden);
  byId('members-found').hidden = !PARAMS.some(param);
}

function isFiltered(): boolean {
  return param('member-state') !== '' || param('member-text') !== '';
}

function load(): Promise<PackedMembers> {
  return (loading ??= unpackElement<PackedMembers>('member-data'));
}

function idOf(table: HTMLElement): string {
  return table.dataset['members']!;
}

function listTable(table: HTMLTableElement, { rows, first }: PackedMembers[string]): void {
  const id = idOf(table);
  const found = inOrder(rows.filter(filterOf()));
  const shown = found.slice(0, limits.get(id) ?? (isFiltered() ? STEP : first));
  table.tBodies[0]!.replaceChildren(...shown.flatMap((row) => memberRows(row, id)));
  const part = table.parentElement!;
  part.hidden = isFiltered() && found.length === 0;
  const names = table.dataset['caption']!.toLowerCase();
  const line = part.nextElementSibling as HTMLElement;
  const left = found.length - shown.length;
  line.hidden = part.hidden || (left === 0 && shown.length === rows.length);
  line.querySelector('span')!.textContent = `${count(shown.length)} of ${count(found.length)} ${names}`;
  const button = line.querySelector('button')!;
  button.hidden = left === 0;
  button.textContent = `Show ${count(Math.min(STEP, left))} more ${names}`;
  for (const head of table.querySelectorAll<HTMLElement>('thead th')) {
    const { field, falls } = chosenOrder();
    const isChosen = head.querySelector<HTMLElement>('[data-sort]')!.dataset['sort'] === field;
    if (isChosen) head.setAttribute('aria-sort', falls ? 'descending' : 'ascending');
    else head.removeAttribute('aria-sort');
  }
}

function filterOf(): (row: MemberRow) => boolean {
  const state = param('member-state');
  const words = wordsOf(param('member-text'));
  return (row) => {
    if (state && row.state !== state) return false;
    const text = [row.name, row.state, row.why, ...row.facts.map(({ value }) => value)].join(' ');
    return words.every((word) => text.toLowerCase().includes(word));
  };
}

/** `requests`: the greatest first; `-requests`: the least first. Names and states begin with A. */
function chosenOrder(): { field: string; falls: boolean } {
  const wanted = param('member-sort');
  const field = wanted.replace('-', '');
  return { field, falls: wanted.startsWith('-') === isText(field) };
}

function isText(field: string): boolean {
  return field === 'name' || field === 'state';
}

function inOrder(rows: readonly MemberRow[]): readonly MemberRow[] {
  const { field, falls } = chosenOrder();
  if (field === '') return rows;
  const sign = falls ? -1 : 1;
  if (field === 'name' || field === 'state') {
    const compare = new Intl.Collator('en', { numeric: true }).compare;
    return rows.toSorted((a, b) => sign * compare(a[field], b[field]));
  }
  const of = (row: MemberRow): number | null => row.sort[field as keyof MemberSort] ?? null;
  // What was not measured comes last either way.
  return rows.toSorted((a, b) => {
    const [one, other] = [of(a), of(b)];
    if (one === null || other === null) return Number(one === null) - Number(other === null);
    return sign * (one - other);
  });
}

async function sortBy(field: string): Promise<void> {
  const now = param('member-sort');
  setParam('member-sort', now === field ? `-${field}` : now === `-${field}` ? '' : field);
  await listMembers();
}

async function showMore(button: HTMLElement): Promise<void> {
  const table = document.querySelector<HTMLTableElement>(
    `table[data-members="${CSS.escape(button.dataset['moreMembers']!)}"]`,
  )!;
  const rows = table.tBodies[0]!.querySelectorAll('[data-member]').length;
  limits.set(idOf(table), rows + STEP);
  await listMembers();
  if (!button.checkVisibility()) table.parentElement!.focus({ preventScroll: true });
}

async function clear(): Promise<void> {
  for (const name of PARAMS) setParam(name, '');
  showParams(byId('pools'));
  byId('pools-title').focus({ preventScroll: true });
  await listMembers();
}

// ---- one member -------------------------------------------------------------------------------------------------------

async function toggle(row: HTMLElement): Promise<void> {
  const table = row.closest<HTMLTableElement>('table[data-members]')!;
  const button = row.querySelector('button')!;
  const name = button.textContent;
  const key = keyOf(idOf(table), name);
  if (opened.delete(key)) {
    button.setAttribute('aria-expanded', 'false');
    row.nextElementSibling?.remove();
    return;
  }
  const member = (await load())[idOf(table)]?.rows.find((each) => each.name === name);
  if (!member || opened.has(key)) return;
  opened.add(key);
  // The table was listed anew meanwhile.
  if (!row.isConnected) return listMembers();
  button.setAttribute('aria-expanded', 'true');
  row.after(detailsRow(member));
}

function keyOf(table: string, name: string): string {
  return `${table} ${name}`;
}

function memberRows(row: MemberRow, table: string): HTMLElement[] {
  const isOpen = opened.has(keyOf(table, row.name));
  return [memberRow(row, isOpen), ...(isOpen ? [detailsRow(row)] : [])];
}

/** As the markup has it: templates/partials/member.hbs. */
function memberRow(row: MemberRow, isOpen: boolean): HTMLElement {
  const rate = row.measured ? { class: 'measured', style: `--rate:${row.ratePercent}%` } : null;
  const number = (text: string): HTMLElement => el('td', { class: 'n' }, text);
  return el(
    'tr',
    { 'data-member': '' },
    el('th', { scope: 'row' }, el('button', { type: 'button', 'aria-expanded': String(isOpen) }, row.name)),
    el(
      'td',
      { class: `state ${row.state}` },
      row.state,
      ...(row.why ? [' ', el('small', null, row.why)] : []),
    ),
    number(row.leases),
    number(row.requests),
    el('td', { class: 'n rate' }, el('span', rate, row.rate)),
    number(row.average),
    number(row.p95),
    row.tokens === null ? null : el('td', { class: 'n tokens' }, row.tokens),
    row.estimates ? estimateCell(row) : null,
  );
}

function estimateCell({ estimate }: MemberRow): HTMLElement {
  if (!estimate) return el('td', { class: 'n estimate' }, NONE);
  const { text, at, low, high } = estimate;
  const bar = el('span', { style: `--low:${low}%;--high:${high}%;--at:${at}%` }, text);
  return el('td', { class: 'n estimate' }, bar);
}

function detailsRow(row: MemberRow): HTMLElement {
  const facts = row.facts.map(({ name, value }) => {
    return el('div', null, el('dt', null, name), el('dd', null, value));
  });
  const cell = el(
    'td',
    { colspan: String(7 + Number(row.tokens !== null) + Number(row.estimates)) },
    el('dl', { class: 'facts' }, ...facts),
  );
  if (row.drawn) cell.append(activityOf(row));
  return el('tr', { class: 'member-details' }, cell);
}

/** Requests, failures and states over the time of the run. */
function activityOf({ timeline: { requests, failures, parts, states, note } }: MemberRow): HTMLElement {
  const path = (name: string, drawing: string): SVGElement | null => {
    return drawing ? svg('path', { class: name, d: drawing }) : null;
  };
  const size = { preserveAspectRatio: 'none', 'aria-hidden': 'true' };
  return el(
    'div',
    { class: 'drawn', role: 'img', 'aria-label': `Over time: ${note}` },
    svg(
      'svg',
      { class: 'sparkline', viewBox: `0 0 ${parts} 20`, ...size },
      path('ok', requests),
      path('failed', failures),
    ),
    svg(
      'svg',
      { class: 'states', viewBox: '0 0 1000 10', ...size },
      ...states.map((each) => path(each.state, each.path)),
    ),
    el('small', null, note),
  );
}
