import type { AdminAction } from '../../../core/types.ts';
import { capital, clockTime, count, duration, percent } from '../../../shared/format.ts';
import type { AdminRequest, ConfigState, LiveMember, LivePool, LiveState } from '../../live/messages.ts';
import { param, showParams } from './address.ts';
import { forgetData } from './data.ts';
import { byId, el } from './dom.ts';
import { editButton, settingsText, type ShownMember } from './edit.ts';
import { listErrors } from './errors.ts';
import { forgetRequests } from './request-data.ts';
import { showRequests } from './requests.ts';
import { forgetMembers, showMembers as showPoolMembers } from './members.ts';
import { post } from './post.ts';
import { revealAgain } from './reveal.ts';
import { listTests } from './tests.ts';

const MAX_LINES = 24;
const MAX_FETCHES = 3;

let hasEnded = false;

/** Follows the run: the present state by events, the report so far when an event announces a new one. */
export function connect(): void {
  const source = new EventSource(`/events?token=${encodeURIComponent(param('token'))}`);
  source.addEventListener('state', (event: MessageEvent<string>) => {
    showState(JSON.parse(event.data) as LiveState);
  });
  source.addEventListener('report', (event: MessageEvent<string>) => void refresh(event.data));
  source.onopen = () => showConnection('Connected', 'good');
  source.onerror = () => {
    if (hasEnded) showConnection('The run has ended. This page shows its last state.', '');
    else showConnection('Not connected, trying again …', 'warn');
  };
}

function showConnection(text: string, tone: string): void {
  const element = byId('live-connection');
  if (element.textContent !== text) element.textContent = text;
  element.className = `connection ${tone}`;
}

function showState({ run, running, pools, config, notice }: LiveState): void {
  hasEnded = run.phase === 'ended';
  const share = run.total === 0 ? 0 : Math.round((run.done / run.total) * 100);
  const bar = byId('live-progress');
  bar.setAttribute('aria-valuenow', String(share));
  (bar.firstElementChild as HTMLElement).style.width = `${share}%`;
  bar.className = `progress${run.failed > 0 ? ' bad' : ''}`;
  const facts = factsOf(run).map(([name, value]) => {
    return el('div', null, el('dt', null, name), el('dd', null, value));
  });
  byId('live-facts').replaceChildren(...facts);
  byId('live-notice').hidden = !notice;
  byId('live-notice').textContent = notice ?? '';
  byId('live-title').textContent = hasEnded ? 'The run has ended' : 'Now';
  const tests = running.map(({ title, forMs, retry }): Line => {
    return [title, `${duration(forMs)}${retry ? `, retry ${retry}` : ''}`];
  });
  fill('live-running', tests, 'No tests running.');
  fill('live-leases', pools.flatMap(leaseLines), 'No leases held.');
  fill('live-waiting', pools.flatMap(waitLines), 'No tests waiting.');
  showMembers(pools, config);
}

type Line = readonly [text: string, note: string];

function leaseLines({ name, leases }: LivePool): Line[] {
  return leases.map(({ holder, endpoint, key, heldMs }) => {
    return [holder, `${[name, endpoint, key].filter(Boolean).join('/')}, ${duration(heldMs)}`];
  });
}

function waitLines({ name, waiting }: LivePool): Line[] {
  return waiting.map(({ holder, waitedMs }) => [holder, `${name}, ${duration(waitedMs)}`]);
}

function factsOf(run: LiveState['run']): Line[] {
  const facts: Line[] = [['Tests', `${count(run.done)} of ${count(run.total)}`]];
  if (run.failed > 0) facts.push(['Failed', count(run.failed)]);
  if (run.flaky > 0) facts.push(['Flaky', count(run.flaky)]);
  facts.push(['Running for', duration(run.forMs)]);
  if (run.phase === 'running') {
    facts.push(['Time left', run.etaMs === null ? 'not known yet' : `about ${duration(run.etaMs)}`]);
  }
  const rate = run.successLastMinute === null ? '' : `, ${percent(run.successLastMinute)} ok`;
  const { testsLastMinute: tests, requestsLastMinute: requests } = run;
  facts.push(['Last minute', `${count(tests)} tests, ${count(requests)} requests${rate}`]);
  return facts;
}

function fill(id: string, lines: readonly Line[], empty: string): void {
  const items = lines.slice(0, MAX_LINES).map(([text, note]) => {
    return el('li', null, el('span', null, text), el('small', null, note));
  });
  if (lines.length > MAX_LINES) {
    items.push(el('li', { class: 'empty' }, `and ${count(lines.length - MAX_LINES)} more`));
  }
  byId(id).replaceChildren(...(items.length > 0 ? items : [el('li', { class: 'empty' }, empty)]));
}

// ---- members ------------------------------------------------------------------------------------------------------

interface MemberRow {
  readonly element: HTMLElement;
  readonly cells: Readonly<Record<'state' | 'until' | 'used' | 'actions' | 'file', HTMLElement>>;
  readonly settings: HTMLElement;
  readonly edit: HTMLElement;
  shown: ShownMember | null;
  /** What the row says, to compare with the next state. */
  text: string;
}

const memberRows = new Map<string, MemberRow>();

/** A row is kept while its member is, so that a button under the pointer or the focus stays where it is. */
function showMembers(pools: readonly LivePool[], config: ConfigState | null): void {
  const body = byId('live-members');
  const seen = new Set<string>();
  for (const pool of pools) {
    for (const member of pool.members) {
      const key = `${pool.name}\n${member.kind}\n${member.name}`;
      seen.add(key);
      const row = memberRows.get(key) ?? newMemberRow(pool.name, member);
      memberRows.set(key, row);
      row.shown = { member, config };
      const { state, why, until, inUse, limit, off, set } = member;
      const text = JSON.stringify([state, why, until, inUse, limit, off, set]);
      if (row.text !== text) updateMember(row, pool.name, member, text);
      if (!row.element.isConnected) body.append(row.element);
    }
  }
  for (const [key, { element }] of memberRows) {
    if (seen.has(key)) continue;
    element.remove();
    memberRows.delete(key);
  }
}

function newMemberRow(pool: string, member: LiveMember): MemberRow {
  const cells = {
    state: el('td', null),
    until: el('td', { class: 'time' }),
    used: el('td', { class: 'n' }),
    actions: el('td', { class: 'actions' }),
    file: el('td', { class: 'file' }),
  };
  const name = el('th', { scope: 'row' }, `${pool}/${member.name}`, el('small', null, member.kind));
  const settings = el('small', null);
  const edit = editButton(pool, member.name, () => row.shown);
  cells.file.append(edit, settings);
  const element = el('tr', null, name, ...Object.values(cells));
  const row: MemberRow = { element, cells, settings, edit, shown: null, text: '' };
  return row;
}

function updateMember(row: MemberRow, pool: string, member: LiveMember, text: string): void {
  const { state, why, until, inUse, limit } = member;
  row.text = text;
  const shown = member.off ? 'disabled' : state;
  row.cells.state.className = `state ${shown}`;
  const reason = member.off ? 'disabled in the configuration' : why;
  row.cells.state.replaceChildren(shown, ...(reason ? [el('small', null, reason)] : []));
  row.cells.until.textContent = until === null ? '' : clockTime(until);
  row.cells.used.textContent = limit === null ? count(inUse) : `${count(inUse)} of ${count(limit)}`;
  row.edit.hidden = member.set === null;
  row.settings.textContent = member.set ? settingsText(member.set) : 'not in the file';
  showActions(row.cells.actions, actionsFor(member), pool, member.name);
}

function actionsFor({ off, state }: LiveMember): AdminAction[] {
  if (off) return [];
  if (state === 'disabled' || state === 'reserved') return ['enable'];
  return state === 'healthy' ? ['disable'] : ['reset', 'disable'];
}

function showActions(cell: HTMLElement, actions: readonly AdminAction[], pool: string, name: string): void {
  const present = [...cell.querySelectorAll('button')].map((button) => button.dataset['action']);
  if (present.join() === actions.join()) return;
  const hadFocus = cell.contains(document.activeElement);
  cell.replaceChildren(...actions.map((action) => actionButton({ action, pool, name })));
  if (hadFocus) cell.querySelector('button')?.focus();
}

function actionButton(request: AdminRequest): HTMLButtonElement {
  const { action, pool, name } = request;
  const label = capital(action);
  const attributes = { type: 'button', class: 'quiet', 'data-action': action };
  const button = el('button', { ...attributes, 'aria-label': `${label} ${pool}/${name}` }, label);
  button.addEventListener('click', () => void administer(button as HTMLButtonElement, request));
  return button as HTMLButtonElement;
}

async function administer(button: HTMLButtonElement, request: AdminRequest): Promise<void> {
  const { action, pool, name } = request;
  button.disabled = true;
  const message = await post('/members', request).then(
    ({ text }) => text,
    () => `Could not ${action} ${pool}/${name}: the run cannot be reached.`,
  );
  byId('live-message').textContent = message;
  button.disabled = false;
}

// ---- the report so far ----------------------------------------------------------------------------------------------

/** The markup of each section as it was served. */
const served = new Map<string, string>();
let latest = '';
let isRefreshing = false;

/** Updates the sections that changed. A section with the focus or a selection waits until the reader has left it. */
async function refresh(revision: string): Promise<void> {
  latest = revision;
  if (isRefreshing) return;
  isRefreshing = true;
  try {
    for (let fetches = 0; byId('live').dataset['revision'] !== latest && fetches < MAX_FETCHES; fetches++) {
      const response = await fetch(`/?token=${encodeURIComponent(param('token'))}`);
      if (response.ok) update(new DOMParser().parseFromString(await response.text(), 'text/html'));
    }
  } catch {
    // The connection reports it, and the next event updates the page.
  }
  isRefreshing = false;
}

function update(page: Document): void {
  const find = (id: string): HTMLElement => page.getElementById(id)!;
  document.title = page.title;
  byId('live').dataset['revision'] = find('live').dataset['revision'] ?? '';
  for (const id of ['page-data', 'request-data', 'member-data', 'timeline-data'])
    byId(id).textContent = find(id).textContent;
  forgetData();
  forgetRequests();
  forgetMembers();
  const navigation = byId('sections');
  const isNew = navigation.innerHTML !== find('sections').innerHTML;
  if (isNew && !navigation.contains(document.activeElement))
    navigation.innerHTML = find('sections').innerHTML;
  const sections = [...page.querySelectorAll<HTMLElement>('main > section')];
  const kept = new Set(sections.map(({ id }) => id));
  for (const old of document.querySelectorAll('main > section')) if (!kept.has(old.id)) old.remove();
  let before: HTMLElement | null = null;
  for (const section of sections) before = updateSection(section, before);
  revealAgain();
  showParams();
  void listTests();
  void listErrors();
  void showRequests();
  void showPoolMembers();
}

function updateSection(section: HTMLElement, before: HTMLElement | null): HTMLElement {
  const old = document.getElementById(section.id);
  const html = section.outerHTML;
  if (old && (section.id === 'live' || served.get(section.id) === html || isBusy(old))) return old;
  served.set(section.id, html);
  const adopted = document.importNode(section, true);
  if (old) old.replaceWith(adopted);
  else if (before) before.after(adopted);
  else byId('main').prepend(adopted);
  return adopted;
}

function isBusy(section: HTMLElement): boolean {
  const selection = getSelection();
  if (section.contains(document.activeElement)) return true;
  return selection !== null && !selection.isCollapsed && section.contains(selection.anchorNode);
}
