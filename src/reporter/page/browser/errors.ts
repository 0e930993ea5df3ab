import { clockTime, count, counted } from '../../../shared/format.ts';
import { FIRST_ERRORS } from '../data-format.ts';
import { param, setParam, showParams, wordsOf } from './address.ts';
import { type ErrorFilters, type ErrorItem, labelMore, linkTo, load, PAGE } from './data.ts';
import { byId, el, findId, targetOf } from './dom.ts';

const FILTERS: readonly (keyof ErrorFilters)[] = [
  'error-pool',
  'error-member',
  'error-kind',
  'error-status',
  'error-verdict',
];
const PARAMS: readonly string[] = [...FILTERS, 'error-text'];

let limit = FIRST_ERRORS;

export function setUpErrors(): void {
  document.addEventListener('click', (event) => {
    const id = targetOf(event)?.id;
    if (id === 'errors-more') {
      limit += PAGE;
      return void listErrors();
    }
    if (id !== 'errors-clear') return;
    for (const name of PARAMS) setParam(name, '');
    showParams(byId('errors'));
    byId('errors-title').focus({ preventScroll: true });
    void relistErrors();
  });
}

export function areErrorsFiltered(): boolean {
  return PARAMS.some(param);
}

export async function listErrors(): Promise<void> {
  const { errors } = await load();
  const rows = findId('errors-rows');
  if (!rows) return;
  const words = wordsOf(param('error-text'));
  const found = errors.filter(
    ({ filters, text }) =>
      FILTERS.every((name) => !param(name) || filters[name].includes(param(name))) &&
      words.every((word) => text.includes(word)),
  );
  const shown = Math.min(found.length, limit);
  rows.replaceChildren(...found.slice(0, shown).map(errorRow));
  if (found.length === 0) {
    rows.append(
      el('tr', null, el('td', { colspan: '5', class: 'empty' }, 'No error matches these filters.')),
    );
  }
  byId('errors-shown').textContent = `${count(shown)} of ${counted(found.length, 'error')}`;
  labelMore(byId('errors-more'), found.length - shown);
  byId('errors-clear').hidden = !areErrorsFiltered();
}

export function relistErrors(): Promise<void> {
  limit = areErrorsFiltered() ? PAGE : FIRST_ERRORS;
  return listErrors();
}

function errorRow(error: ErrorItem): HTMLElement {
  const { test } = error;
  const link = test ? el('a', { href: linkTo(test) }, test.title) : null;
  const verdict = test?.verdict ? el('span', { class: `v ${test.verdict}` }, test.verdict) : null;
  return el(
    'tr',
    null,
    el('td', { class: 'time' }, clockTime(error.at)),
    el('td', null, error.member),
    el('td', { class: 'kind' }, error.kind),
    el('td', { class: 'message' }, error.message),
    el('td', null, link, verdict ? ' ' : '', verdict),
  );
}
