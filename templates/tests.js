// ---- tests ------------------------------------------------------------------------------------------------------
const TEST_PARAMS = ['outcome', 'verdict', 'marked', 'order', 'text', 'cause'];
let testLimit = PAGE;
/** Tests whose details are open, by id. */
const opened = new Set();

function testRow(test) {
  const { members } = test;
  const last = members.length === 0 ? '–' : members.length === 1 ? members[0] : `${members.at(-1)} +${members.length - 1}`;
  return el(
    'tr',
    { 'data-test': test.index },
    el('td', { class: `outcome ${test.outcome}` }, OUTCOME_LABELS[test.outcome]),
    el('td', { class: 'title' }, el('button', { type: 'button', 'aria-expanded': 'false' }, test.title), test.place),
    el('td', { class: `v ${test.verdict ?? ''}` }, test.verdict ?? '', ...test.tags.map((tag) => el('em', null, tag))),
    el('td', { class: 'member' }, last),
    el('td', { class: 'n' }, members.length === 0 ? '–' : duration(test.waited)),
    el('td', { class: 'n' }, test.results.length === 0 ? '–' : duration(test.took)),
  );
}
function findTests(tests) {
  const [outcome, verdict, marked, order] = TEST_PARAMS.map(param);
  const words = wordsOf(param('text'));
  const cause = param('cause') === '' ? -1 : Number(param('cause'));
  const found = tests.filter(
    (test) =>
      (!outcome || test.outcome === outcome) &&
      (!verdict || test.verdict === verdict) &&
      (!marked || test.tags.includes(marked)) &&
      (cause < 0 || test.cause === cause) &&
      words.every((word) => test.text.includes(word)),
  );
  const field = { slow: 'took', waited: 'waited' }[order];
  return field ? found.sort((a, b) => b[field] - a[field]) : found;
}
async function listTests() {
  const data = await load();
  const rows = byId('tests-rows');
  if (!rows) return;
  const found = findTests(data.tests);
  const shown = Math.min(found.length, testLimit);
  rows.replaceChildren(...found.slice(0, shown).map(testRow));
  if (found.length === 0) {
    rows.append(el('tr', null, el('td', { colspan: '6', class: 'empty' }, 'No test matches these filters.')));
  }
  for (const row of rows.querySelectorAll('tr[data-test]')) {
    if (opened.has(data.tests[row.dataset.test].id)) openTest(row, data);
  }
  byId('tests-shown').textContent = `${count(shown)} of ${count(found.length)} ${found.length === 1 ? 'test' : 'tests'}`;
  sayMore(byId('tests-more'), found.length - shown);
  byId('tests-clear').hidden = TEST_PARAMS.every((name) => !param(name));
  const cause = data.causes[param('cause')];
  byId('cause-chip').hidden = cause === undefined;
  byId('cause-text').textContent = cause === undefined ? '' : `Only: ${cause}`;
}
function relistTests() {
  testLimit = PAGE;
  return listTests();
}

/** What happened in a test: each of its results, the evidence, what it held, and its faults. */
function openTest(row, data) {
  const test = data.tests[row.dataset.test];
  row.querySelector('button').setAttribute('aria-expanded', 'true');
  opened.add(test.id);
  const parts = test.results.map((result) => resultDetails(result, data));
  if (parts.length === 0) parts.push(el('p', { class: 'empty' }, 'It did not run.'));
  const faults = data.errors.filter((error) => error.test === test);
  if (faults.length > 0) parts.push(faultList(faults));
  parts.push(el('p', { class: 'link-to' }, el('a', { href: linkTo(test) }, 'Link to this test')));
  row.after(el('tr', { class: 'details' }, el('td', { colspan: '6' }, ...parts)));
}
async function toggleTest(row) {
  const data = await load();
  const button = row.querySelector('button');
  if (button.getAttribute('aria-expanded') === 'false') return openTest(row, data);
  button.setAttribute('aria-expanded', 'false');
  opened.delete(data.tests[row.dataset.test].id);
  row.nextElementSibling.remove();
}
function resultDetails([retry, status, took, verdict, evidence, shard, worker, leases, began, refused], data) {
  const where = [shard > 0 ? `shard ${shard}` : '', worker >= 0 ? `worker ${worker}` : ''].filter(Boolean).join(', ');
  const judged = VERDICTS[verdict];
  return el(
    'section',
    null,
    el(
      'p',
      { class: 'result' },
      el('b', null, retry === 0 ? 'First run' : `Rerun ${retry}`),
      refused ? ' not run again: an earlier attempt failed by the product' : ` ${status === 'timedOut' ? 'timed out' : status} after ${duration(took)}, from ${clock(data.start + began * 1000)}${where ? ` in ${where}` : ''}`,
      judged ? el('span', { class: `v ${judged}` }, judged) : null,
    ),
    evidence.length ? el('ul', null, ...evidence.map((index) => el('li', null, data.evidence[index]))) : null,
    refused ? null : leases.length ? leaseTable(leases, data) : el('p', { class: 'empty' }, 'It took no lease, so nothing was measured.'),
  );
}
function leaseTable(leases, data) {
  const head = ['Member', 'Waited', 'Held', 'Attempts', 'Failures'].map((text, index) =>
    el('th', { scope: 'col', class: index ? 'n' : null }, text),
  );
  const rows = leases.map(([member, waited, held, requests, failures]) => {
    const cells = [duration(waited), duration(held), count(requests), count(failures)];
    return el('tr', null, el('td', null, data.members[member]), ...cells.map((text) => el('td', { class: 'n' }, text)));
  });
  return el('table', null, el('thead', null, el('tr', null, ...head)), el('tbody', null, ...rows));
}
const MAX_FAULTS = 12;
function faultList(faults) {
  const lines = faults.slice(0, MAX_FAULTS).map((error) =>
    el('li', null, el('b', null, `${clock(error.at)} ${kindText(error)}`), ` ${error.member}: ${error.message}`),
  );
  if (faults.length > MAX_FAULTS) lines.push(el('li', null, `and ${count(faults.length - MAX_FAULTS)} more in the list of errors`));
  return el('section', null, el('p', { class: 'result' }, el('b', null, 'Faults it met')), el('ul', null, ...lines));
}

document.addEventListener('click', (event) => {
  const { target } = event;
  if (target.id === 'tests-more') return void ((testLimit += PAGE), listTests());
  if (target.id === 'tests-clear' || target.id === 'cause-clear') return void clearTests(target.id);
  const cause = target.closest?.('button[data-cause]');
  if (cause) return void showCause(cause.dataset.cause);
  const row = target.closest?.('#tests-rows > tr[data-test]');
  if (row && (target.closest('button') || !getSelection().toString())) void toggleTest(row);
});
function clearTests(which) {
  for (const name of which === 'cause-clear' ? ['cause'] : TEST_PARAMS) setParam(name, '');
  showParams(byId('tests'));
  byId('tests-title').focus({ preventScroll: true });
  return relistTests();
}
async function showCause(cause) {
  for (const name of TEST_PARAMS) setParam(name, '');
  setParam('cause', cause);
  showParams(byId('tests'));
  await relistTests();
  byId('tests').scrollIntoView();
  byId('cause-clear').focus({ preventScroll: true });
}
/** `#test=ID` opens that test, also when the list does not show it yet. */
async function showLinked() {
  const named = /^#test=(.+)$/.exec(location.hash)?.[1];
  if (named === undefined || !byId('tests-rows')) return;
  const data = await load();
  const test = data.byId.get(decoded(named));
  if (!test) return;
  const find = () => byId('tests-rows').querySelector(`tr[data-test="${test.index}"]`);
  if (!find()) byId('tests-rows').prepend(testRow(test));
  const row = find();
  if (row.querySelector('button').getAttribute('aria-expanded') === 'false') openTest(row, data);
  row.scrollIntoView({ block: 'center' });
  row.querySelector('button').focus({ preventScroll: true });
}
function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
addEventListener('hashchange', showLinked);
