// ---- errors -----------------------------------------------------------------------------------------------------
const ERROR_FILTERS = ['error-pool', 'error-member', 'error-kind', 'error-status', 'error-verdict'];
const ERROR_PARAMS = [...ERROR_FILTERS, 'error-text'];
const FIRST_ERRORS = 8;
let errorLimit = FIRST_ERRORS;
const errorsFiltered = () => ERROR_PARAMS.some(param);

async function listErrors() {
  const { errors } = await load();
  const rows = byId('errors-rows');
  if (!rows) return;
  const words = wordsOf(param('error-text'));
  const found = errors.filter(
    (error) =>
      ERROR_FILTERS.every((name) => !param(name) || error[name].includes(param(name))) &&
      words.every((word) => error.text.includes(word)),
  );
  const shown = Math.min(found.length, errorLimit);
  rows.replaceChildren(...found.slice(0, shown).map(errorRow));
  if (found.length === 0) {
    rows.append(el('tr', null, el('td', { colspan: '5', class: 'empty' }, 'No error matches these filters.')));
  }
  byId('errors-shown').textContent = `${count(shown)} of ${count(found.length)} ${found.length === 1 ? 'error' : 'errors'}`;
  sayMore(byId('errors-more'), found.length - shown);
  byId('errors-clear').hidden = !errorsFiltered();
}
function errorRow(error) {
  const { test } = error;
  const link = test ? el('a', { href: linkTo(test) }, test.title) : null;
  return el(
    'tr',
    null,
    el('td', { class: 'time' }, clock(error.at)),
    el('td', null, error.member),
    el('td', { class: 'kind' }, kindText(error)),
    el('td', { class: 'message' }, error.message),
    el('td', null, link, test?.verdict ? ' ' : '', test?.verdict ? el('span', { class: `v ${test.verdict}` }, test.verdict) : null),
  );
}
function relistErrors() {
  errorLimit = errorsFiltered() ? PAGE : FIRST_ERRORS;
  return listErrors();
}
document.addEventListener('click', (event) => {
  if (event.target.id === 'errors-more') return void ((errorLimit += PAGE), listErrors());
  if (event.target.id !== 'errors-clear') return;
  for (const name of ERROR_PARAMS) setParam(name, '');
  showParams(byId('errors'));
  byId('errors-title').focus({ preventScroll: true });
  void relistErrors();
});

// ---- filters ----------------------------------------------------------------------------------------------------
function filtered(control) {
  setParam(control.dataset.param, control.value);
  void (control.dataset.param.startsWith('error-') ? relistErrors() : relistTests());
}
const typed = debounced(filtered);
document.addEventListener('input', (event) => event.target.type === 'search' && event.target.dataset.param && typed(event.target));
document.addEventListener('change', (event) => event.target.type !== 'search' && event.target.dataset?.param && filtered(event.target));

// ---- at rest ----------------------------------------------------------------------------------------------------
/** What the address asks for is shown at once; else the lists stay as they came, and only say how much more there is. */
async function settle() {
  showParams();
  if (TEST_PARAMS.some(param)) await listTests();
  if (errorsFiltered()) await relistErrors();
  await showLinked();
  const { tests, errors } = await load();
  const rows = byId('tests-rows');
  if (rows && !TEST_PARAMS.some(param)) sayMore(byId('tests-more'), tests.length - rows.querySelectorAll('tr[data-test]').length);
  if (byId('errors-rows') && !errorsFiltered()) sayMore(byId('errors-more'), errors.length - byId('errors-rows').children.length);
  root.dataset.ready = '';
}
requestAnimationFrame(() => requestAnimationFrame(settle));
