// ---- data -------------------------------------------------------------------------------------------------------
let loading;
/** Unpacked once, when first needed or when the page has come to rest. */
function load() {
  loading ??= (async () => {
    const bytes = Uint8Array.from(atob(byId('island').textContent), (sign) => sign.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate-raw'));
    const data = await new Response(stream).json();
    data.tests = data.tests.map((row, index) => readTest(row, index, data));
    return data;
  })();
  return loading;
}
function readTest(row, index, data) {
  const [title, file, line, project, outcome, verdict, flags, cause, results] = row;
  const leases = results.flatMap((result) => result[7]);
  const members = [...new Set(leases.map(([member]) => data.members[member]))];
  const place = `${data.files[file]}:${line}${data.projects[project] ? ` · ${data.projects[project]}` : ''}`;
  return {
    index,
    title,
    place,
    members,
    cause,
    results,
    outcome: OUTCOMES[outcome],
    verdict: VERDICTS[verdict] ?? null,
    tags: [flags & 1 ? 'degraded' : '', flags & 2 ? 'pinned' : ''].filter(Boolean),
    took: results.reduce((sum, result) => sum + result[2], 0),
    waited: leases.reduce((sum, lease) => sum + lease[1], 0),
    text: [title, place, ...members].join(' ').toLowerCase(),
  };
}

// ---- tests ------------------------------------------------------------------------------------------------------
const testRows = byId('tests-rows');
const filter = { outcome: '', verdict: '', order: '', words: [], cause: -1, limit: PAGE };

function testRow(test) {
  const { members } = test;
  const last = members.length === 0 ? '–' : members.length === 1 ? members[0] : `${members.at(-1)} +${members.length - 1}`;
  return el(
    'tr',
    { 'data-test': test.index },
    el('td', { class: `outcome ${test.outcome}` }, OUTCOME_LABELS[test.outcome]),
    el(
      'td',
      { class: 'title' },
      el('button', { type: 'button', 'aria-expanded': 'false' }, test.title),
      test.place,
    ),
    el('td', { class: `v ${test.verdict ?? ''}` }, test.verdict ?? '', ...test.tags.map((tag) => el('em', null, tag))),
    el('td', { class: 'member' }, last),
    el('td', { class: 'n' }, members.length === 0 ? '–' : duration(test.waited)),
    el('td', { class: 'n' }, test.results.length === 0 ? '–' : duration(test.took)),
  );
}

async function listTests() {
  const { tests, causes } = await load();
  const found = tests.filter(
    (test) =>
      (!filter.outcome || test.outcome === filter.outcome) &&
      (!filter.verdict || test.verdict === filter.verdict) &&
      (filter.cause < 0 || test.cause === filter.cause) &&
      filter.words.every((word) => test.text.includes(word)),
  );
  if (filter.order) {
    const field = filter.order === 'slow' ? 'took' : 'waited';
    found.sort((a, b) => b[field] - a[field]);
  }
  const shown = Math.min(found.length, filter.limit);
  testRows.replaceChildren(...found.slice(0, shown).map(testRow));
  if (found.length === 0) {
    testRows.append(el('tr', null, el('td', { colspan: '6', class: 'empty' }, 'No test matches these filters.')));
  }
  byId('tests-shown').textContent = `${count(shown)} of ${count(found.length)} ${found.length === 1 ? 'test' : 'tests'}`;
  sayMore(byId('tests-more'), found.length - shown);
  byId('cause-chip').hidden = filter.cause < 0;
  byId('cause-text').textContent = filter.cause < 0 ? '' : `Only: ${causes[filter.cause]}`;
}
function sayMore(button, left) {
  button.hidden = left <= 0;
  button.textContent = `Show ${count(Math.min(PAGE, left))} more`;
}
function relist() {
  filter.limit = PAGE;
  return listTests();
}

/** What happened in a test: each of its results, the evidence, and what it held. */
async function toggleTest(row) {
  const button = row.querySelector('button');
  const open = button.getAttribute('aria-expanded') === 'true';
  button.setAttribute('aria-expanded', String(!open));
  if (open) return row.nextElementSibling.remove();
  const data = await load();
  const { results } = data.tests[Number(row.dataset.test)];
  const parts = results.map((result, number) => resultDetails(result, number, data));
  if (parts.length === 0) parts.push(el('p', { class: 'empty' }, 'It did not run.'));
  row.after(el('tr', { class: 'details' }, el('td', { colspan: '6' }, ...parts)));
}
function resultDetails([retry, status, took, verdict, evidence, shard, worker, leases], number, data) {
  const where = [shard > 0 ? `shard ${shard}` : '', worker >= 0 ? `worker ${worker}` : ''].filter(Boolean).join(', ');
  const judged = VERDICTS[verdict];
  return el(
    'section',
    null,
    el(
      'p',
      { class: 'result' },
      el('b', null, retry === 0 ? 'First run' : `Rerun ${retry}`),
      ` ${status === 'timedOut' ? 'timed out' : status} after ${duration(took)}${where ? ` in ${where}` : ''}`,
      judged ? el('span', { class: `v ${judged}` }, judged) : null,
    ),
    evidence.length ? el('ul', null, ...evidence.map((index) => el('li', null, data.evidence[index]))) : null,
    leases.length ? leaseTable(leases, data) : el('p', { class: 'empty' }, 'It took no lease, so nothing was measured.'),
  );
}
function leaseTable(leases, data) {
  const head = ['Member', 'Waited', 'Held', 'Attempts', 'Failures'].map((text, index) =>
    el('th', { scope: 'col', class: index ? 'n' : null }, text),
  );
  const rows = leases.map(([member, waited, held, attempts, failures]) => {
    const cells = [duration(waited), duration(held), count(attempts), count(failures)];
    return el('tr', null, el('td', null, data.members[member]), ...cells.map((text) => el('td', { class: 'n' }, text)));
  });
  return el('table', null, el('thead', null, el('tr', null, ...head)), el('tbody', null, ...rows));
}

if (testRows) {
  const search = byId('tests-search');
  search.addEventListener(
    'input',
    debounced(() => {
      filter.words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
      void relist();
    }),
  );
  byId('tests-outcome').addEventListener('change', (event) => ((filter.outcome = event.target.value), relist()));
  byId('tests-verdict')?.addEventListener('change', (event) => ((filter.verdict = event.target.value), relist()));
  byId('tests-order').addEventListener('change', (event) => ((filter.order = event.target.value), relist()));
  byId('cause-clear').addEventListener('click', () => ((filter.cause = -1), relist()));
  byId('tests-more').addEventListener('click', () => ((filter.limit += PAGE), listTests()));
  testRows.addEventListener('click', (event) => {
    const row = event.target.closest('tr[data-test]');
    if (row && (event.target.closest('button') || !getSelection().toString())) void toggleTest(row);
  });
  for (const button of document.querySelectorAll('button[data-cause]')) {
    button.addEventListener('click', async () => {
      filter.cause = Number(button.dataset.cause);
      await relist();
      byId('tests').scrollIntoView();
      byId('cause-clear').focus({ preventScroll: true });
    });
  }
  addEventListener('hashchange', showLinked);
  void showLinked();
}
/** `#test-12` opens that test, also when the list does not show it yet. */
async function showLinked() {
  const index = /^#test-(\d+)$/.exec(location.hash)?.[1];
  if (index === undefined) return;
  const find = () => testRows.querySelector(`tr[data-test="${index}"]`);
  if (!find()) {
    const { tests } = await load();
    if (tests[Number(index)]) testRows.prepend(testRow(tests[Number(index)]));
  }
  const row = find();
  if (row?.querySelector('button').getAttribute('aria-expanded') === 'false') await toggleTest(row);
  row?.scrollIntoView({ block: 'center' });
  row?.querySelector('button').focus({ preventScroll: true });
}

// ---- errors -----------------------------------------------------------------------------------------------------
const errorRows = byId('errors-rows');
let errorLimit = errorRows?.children.length ?? 0;
async function listErrors() {
  const { errors, members, tests } = await load();
  const words = byId('errors-search').value.toLowerCase().split(/\s+/).filter(Boolean);
  const found = errors.filter(([, member, kind, message, test]) => {
    const text = `${members[member]} ${kind} ${message} ${tests[test]?.title ?? ''}`.toLowerCase();
    return words.every((word) => text.includes(word));
  });
  const shown = Math.min(found.length, errorLimit);
  errorRows.replaceChildren(
    ...found.slice(0, shown).map(([at, member, kind, message, test]) =>
      el(
        'tr',
        null,
        el('td', { class: 'time' }, clock(at)),
        el('td', null, members[member]),
        el('td', { class: 'kind' }, kind),
        el('td', { class: 'message' }, message),
        el('td', null, el('a', { href: `#test-${test}` }, tests[test]?.title ?? '')),
      ),
    ),
  );
  if (found.length === 0) {
    errorRows.append(el('tr', null, el('td', { colspan: '5', class: 'empty' }, 'No error matches this search.')));
  }
  byId('errors-shown').textContent = `${count(shown)} of ${count(found.length)} errors`;
  sayMore(byId('errors-more'), found.length - shown);
}
if (errorRows) {
  byId('errors-search').addEventListener('input', debounced(listErrors));
  byId('errors-more').addEventListener('click', () => ((errorLimit += PAGE), listErrors()));
}

// ---- at rest ----------------------------------------------------------------------------------------------------
requestAnimationFrame(() =>
  requestAnimationFrame(async () => {
    const { tests, errors } = await load();
    if (testRows) sayMore(byId('tests-more'), tests.length - testRows.querySelectorAll('tr[data-test]').length);
    if (!errorRows) return;
    byId('errors-shown').textContent = `${count(Math.min(errorLimit, errors.length))} of ${count(errors.length)} errors`;
    sayMore(byId('errors-more'), errors.length - errorLimit);
  }),
);
