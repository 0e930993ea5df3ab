// ---- live -------------------------------------------------------------------------------------------------------
/** The page while tests run: what is held and waited for now, members by hand, and the report so far. */
const token = param('token');
let runEnded = false;
let latest = '';

function connect() {
  const source = new EventSource(`/events?token=${encodeURIComponent(token)}`);
  source.addEventListener('state', (event) => showState(JSON.parse(event.data)));
  source.addEventListener('report', (event) => void refresh(event.data));
  source.onopen = () => sayConnection('Connected', 'good');
  source.onerror = () =>
    sayConnection(
      runEnded ? 'The run has ended and its process is gone; this page stays as it was.' : 'Not connected, trying again …',
      runEnded ? '' : 'warn',
    );
}
function sayConnection(text, tone) {
  const element = byId('live-connection');
  if (element.textContent !== text) element.textContent = text;
  element.className = `connection ${tone}`;
}

function showState(state) {
  const { run, running, pools, config, notice } = state;
  runEnded = run.phase === 'ended';
  const share = run.total === 0 ? 0 : Math.round((run.done / run.total) * 100);
  const bar = byId('live-progress');
  bar.setAttribute('aria-valuenow', String(share));
  bar.firstChild.style.width = `${share}%`;
  bar.className = `progress${run.failed > 0 ? ' bad' : ''}`;
  byId('live-facts').replaceChildren(...factsOf(run).map(([name, value]) => el('div', null, el('dt', null, name), el('dd', null, value))));
  byId('live-notice').hidden = !notice;
  byId('live-notice').textContent = notice ?? '';
  byId('live-title').textContent = { running: 'Now', ended: 'The run has ended' }[run.phase];
  fill('live-running', running.map(({ title, forMs, retry }) => [title, `${duration(forMs)}${retry ? `, rerun ${retry}` : ''}`]), 'No test runs.');
  const leases = pools.flatMap(({ name, leases: own }) => own.map((lease) => [lease.holder, `${[name, lease.endpoint, lease.key].filter(Boolean).join('/')}, ${duration(lease.heldMs)}`]));
  const waiting = pools.flatMap(({ name, waiting: own }) => own.map(({ holder, waitedMs }) => [holder, `${name}, ${duration(waitedMs)}`]));
  fill('live-leases', leases, 'Nothing is held.');
  fill('live-waiting', waiting, 'Nobody waits.');
  showMembers(pools, config);
}
function factsOf(run) {
  const facts = [['Tests', `${count(run.done)} of ${count(run.total)}`]];
  if (run.failed > 0) facts.push(['Failed', count(run.failed)]);
  if (run.flaky > 0) facts.push(['Flaky', count(run.flaky)]);
  facts.push(['Running for', duration(run.forMs)]);
  if (run.phase === 'running') facts.push(['To go', run.etaMs === null ? 'not known yet' : `about ${duration(run.etaMs)}`]);
  const rate = run.successLastMinute === null ? '' : `, ${percent(run.successLastMinute)} ok`;
  facts.push(['Last minute', `${count(run.testsLastMinute)} tests, ${count(run.requestsLastMinute)} requests${rate}`]);
  return facts;
}
function percent(rate) {
  if (rate <= 0 || rate >= 1) return rate <= 0 ? '0 %' : '100 %';
  return `${trim((Math.min(999, Math.max(1, Math.round(rate * 1000))) / 10).toFixed(1))} %`;
}
const MAX_LINES = 24;
function fill(id, lines, empty) {
  const items = lines.slice(0, MAX_LINES).map(([text, note]) => el('li', null, el('span', null, text), el('small', null, note)));
  if (lines.length > MAX_LINES) items.push(el('li', { class: 'empty' }, `and ${count(lines.length - MAX_LINES)} more`));
  byId(id).replaceChildren(...(items.length > 0 ? items : [el('li', { class: 'empty' }, empty)]));
}

// ---- members by hand ----------------------------------------------------------------------------------------------
const memberRows = new Map();
/** A row is kept while its member is, so that a button under the pointer or the focus stays where it is. */
function showMembers(pools, config) {
  const body = byId('live-members');
  const seen = new Set();
  for (const pool of pools) {
    for (const member of pool.members) {
      const key = `${pool.name}\n${member.kind}\n${member.name}`;
      seen.add(key);
      if (!memberRows.has(key)) memberRows.set(key, memberRow(pool.name, member));
      const row = memberRows.get(key);
      row.shown = { member, config };
      const said = JSON.stringify([member.state, member.why, member.until, member.inUse, member.limit, member.off, member.set]);
      if (row.said !== said) updateMember(row, pool.name, member, said);
      if (!row.element.isConnected) body.append(row.element);
    }
  }
  for (const [key, { element }] of memberRows) {
    if (seen.has(key)) continue;
    element.remove();
    memberRows.delete(key);
  }
}
function memberRow(pool, member) {
  const cells = { state: el('td'), until: el('td', { class: 'time' }), used: el('td', { class: 'n' }), hand: el('td', { class: 'hand' }), file: el('td', { class: 'file' }) };
  const name = el('th', { scope: 'row' }, `${pool}/${member.name}`, el('small', null, member.kind));
  const row = { element: el('tr', null, name, ...Object.values(cells)), cells, said: '', shown: null };
  row.edit = editButton(pool, member.name, () => row.shown);
  row.settings = el('small');
  cells.file.append(row.edit, row.settings);
  return row;
}
function updateMember(row, pool, member, said) {
  const { state, why, until, inUse, limit } = member;
  row.said = said;
  const shown = member.off ? 'disabled' : state;
  row.cells.state.className = `state ${shown}`;
  const reason = member.off ? 'off in the configuration' : why;
  row.cells.state.replaceChildren(shown, ...(reason ? [el('small', null, reason)] : []));
  row.cells.until.textContent = until === null ? '' : clock(until);
  row.cells.used.textContent = limit === null ? count(inUse) : `${count(inUse)} of ${count(limit)}`;
  row.edit.hidden = member.set === null;
  row.settings.textContent = member.set ? settingsText(member.set) : 'not in the file';
  const wanted = member.off ? [] : state === 'disabled' ? ['enable'] : state === 'healthy' ? ['disable'] : ['reset', 'disable'];
  const present = [...row.cells.hand.children].map((button) => button.dataset.action);
  if (present.join() === wanted.join()) return;
  const focused = row.cells.hand.contains(document.activeElement);
  row.cells.hand.replaceChildren(...wanted.map((action) => handButton(action, pool, member.name)));
  if (focused) row.cells.hand.firstChild.focus();
}
function handButton(action, pool, name) {
  const label = action[0].toUpperCase() + action.slice(1);
  const button = el('button', { type: 'button', class: 'quiet', 'data-action': action, 'aria-label': `${label} ${pool}/${name}` }, label);
  button.addEventListener('click', () => void byHand(button, { action, pool, name }));
  return button;
}
async function post(path, wish) {
  const headers = { 'content-type': 'application/json', 'x-gemba-token': token };
  const response = await fetch(path, { method: 'POST', headers, body: JSON.stringify(wish) });
  return { ok: response.ok, text: (await response.json()).text };
}
async function byHand(button, wish) {
  button.disabled = true;
  let said;
  try {
    said = (await post('/members', wish)).text;
  } catch {
    said = `Could not ${wish.action} ${wish.pool}/${wish.name}: the run cannot be reached.`;
  }
  byId('live-said').textContent = said;
  button.disabled = false;
}

// ---- the report so far --------------------------------------------------------------------------------------------
const served = new Map();
let refreshing = false;
/** Brings in what changed. A section that somebody is in waits until it is left. */
async function refresh(revision) {
  latest = revision;
  if (refreshing) return;
  refreshing = true;
  try {
    for (let tries = 0; byId('live').dataset.revision !== latest && tries < 3; tries++) {
      const response = await fetch(`/?token=${encodeURIComponent(token)}`);
      if (response.ok) bringIn(new DOMParser().parseFromString(await response.text(), 'text/html'));
    }
  } catch {
    // The connection says so; the next event brings the page up to date.
  }
  refreshing = false;
}
function bringIn(page) {
  document.title = page.title;
  byId('live').dataset.revision = page.getElementById('live').dataset.revision;
  for (const id of ['island', 'timeline-data']) byId(id).textContent = page.getElementById(id).textContent;
  loading = undefined;
  const nav = page.getElementById('sections');
  if (byId('sections').innerHTML !== nav.innerHTML && !byId('sections').contains(document.activeElement)) byId('sections').innerHTML = nav.innerHTML;
  const sections = [...page.querySelectorAll('main > section')];
  const kept = new Set(sections.map(({ id }) => id));
  for (const old of document.querySelectorAll('main > section')) if (!kept.has(old.id)) old.remove();
  let before = null;
  for (const section of sections) {
    before = bringInSection(section, before);
  }
  for (const button of document.querySelectorAll('button[data-rest]')) if (revealed.has(button.dataset.rest)) reveal(button);
  showParams();
  void listTests();
  void listErrors();
}
function bringInSection(section, before) {
  const old = byId(section.id);
  const html = section.outerHTML;
  if (old && (section.id === 'live' || served.get(section.id) === html || isBusy(old))) return old;
  served.set(section.id, html);
  const adopted = document.importNode(section, true);
  if (old) old.replaceWith(adopted);
  else if (before) before.after(adopted);
  else byId('main').prepend(adopted);
  return adopted;
}
function isBusy(section) {
  const selection = getSelection();
  return section.contains(document.activeElement) || (!selection.isCollapsed && section.contains(selection.anchorNode));
}
connect();
