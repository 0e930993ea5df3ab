import { systemClock } from '../../../core/clock.ts';
import { type AdminAction, HEALTH_STATES } from '../../../core/types.ts';
import { capital, clockTime, count, duration, percent } from '../../../shared/format.ts';
import type { AdminRequest, ShownConfig, LiveMember, LivePool, LiveState } from '../../live/messages.ts';
import { param, showParams } from './address.ts';
import { type Selectable, setUpBulk, showSelected } from './bulk.ts';
import { forgetData } from './data.ts';
import { byId, debounced, el } from './dom.ts';
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
const MAX_HOLDERS = 2;

let hasEnded = false;

/** The search, and what is done to several members. */
export function setUpMemberTools(): void {
  byId('live-state').append(...HEALTH_STATES.map((state) => el('option', { value: state }, state)));
  byId('live-search').addEventListener('input', debounced(filterMembers));
  byId('live-state').addEventListener('change', filterMembers);
  byId('live-members').addEventListener('change', () => showSelected(shownMembers()));
  setUpBulk(shownMembers);
}

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

function showState({ run, running, pools, config, notice, broker, machine }: LiveState): void {
  if (run) showRun(run);
  byId('live-notice').hidden = !notice;
  byId('live-notice').textContent = notice ?? '';
  showBroker(broker);
  const tests = running.map(({ title, forMs, retry }): Line => {
    return [title, `${duration(forMs)}${retry ? `, retry ${retry}` : ''}`];
  });
  fill('live-running', tests, 'No tests running.');
  fill(
    'live-leases',
    pools.flatMap((pool) => leaseLines(pool, machine)),
    'No leases held.',
  );
  fill(
    'live-waiting',
    pools.flatMap((pool) => waitLines(pool, machine)),
    'No tests waiting.',
  );
  showMembers(pools, config, machine);
}

function showRun(run: NonNullable<LiveState['run']>): void {
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
  byId('live-title').textContent = hasEnded ? 'The run has ended' : 'Now';
  // What is done by hand now has its place in the next run, or on the command line.
  byId<HTMLFieldSetElement>('live-controls').disabled = hasEnded;
  if (hasEnded) byId<HTMLDialogElement>('edit').close();
  showEnd(run);
}

const ENDED: Readonly<Record<string, string>> = {
  passed: 'The run passed.',
  failed: 'The run failed.',
  timedout: 'The run timed out.',
  interrupted: 'The run was interrupted.',
};

function showEnd({ status, report }: NonNullable<LiveState['run']>): void {
  const element = byId('live-end');
  element.hidden = status === null;
  if (status === null || element.dataset['of'] === `${status} ${report}`) return;
  element.dataset['of'] = `${status} ${report}`;
  element.className = `end ${status}`;
  const link = el('a', { href: `/?token=${encodeURIComponent(param('token'))}` }, 'Open the written report');
  const place = el('small', null, ` (${report})`);
  element.replaceChildren(`${ENDED[status]} `, ...(report === null ? [] : [link, place]));
}

let lastBroker: string | null = null;

/** A broker that is started anew takes over what its clients hold. */
function showBroker(broker: string | null): void {
  if (broker === null || broker === lastBroker) return;
  if (lastBroker !== null) {
    byId('live-broker').textContent =
      `The broker was restarted at ${clockTime(systemClock())} UTC. Leases that are held go on.`;
    byId('live-broker').hidden = false;
  }
  lastBroker = broker;
}

type Line = readonly [text: string, note: string];

function leaseLines({ name, leases }: LivePool, here: string): Line[] {
  return leases.map((lease) => {
    const { holder, endpoint, key, heldMs } = lease;
    const member = [name, endpoint, key].filter(Boolean).join('/');
    // Of one that is not known nobody knows since when.
    const forTime = lease.pid === null && heldMs === 0 ? '' : `, ${duration(heldMs)}${placeOf(lease, here)}`;
    return [holder, `${member}${forTime}`];
  });
}

function waitLines({ name, waiting }: LivePool, here: string): Line[] {
  return waiting.map((wait) => [wait.holder, `${name}, ${duration(wait.waitedMs)}${placeOf(wait, here)}`]);
}

/** Since when, and in which process of which machine. */
function placeOf(
  { since, pid, machine }: Pick<LivePool['leases'][number], 'since' | 'pid' | 'machine'>,
  here: string,
): string {
  const process = pid === null ? '' : `, process ${pid}`;
  const other = machine === null || machine === here ? '' : `, on ${machine}`;
  return `, since ${clockTime(since)}${process}${other}`;
}

function factsOf(run: NonNullable<LiveState['run']>): Line[] {
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

interface LiveRow extends Selectable {
  readonly element: HTMLElement;
  readonly cells: Readonly<Record<'state' | 'until' | 'used' | 'actions' | 'file', HTMLElement>>;
  readonly settings: HTMLElement;
  readonly edit: HTMLElement;
  shown: ShownMember | null;
  /** What the row says, to compare with the next state. */
  text: string;
  /** What the search looks through. */
  words: string;
}

const memberRows = new Map<string, LiveRow>();

/** A row is kept while its member is, so that a button under the pointer or the focus stays where it is. */
function showMembers(pools: readonly LivePool[], config: ShownConfig | null, here: string): void {
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
      const holders = pool.leases
        .filter((lease) => lease[member.kind] === member.name)
        .map((lease) => `${lease.holder}${placeOf(lease, here)}`);
      const text = JSON.stringify([state, why, until, inUse, limit, off, set, holders]);
      if (row.text !== text) updateMember(row, member, holders, text);
      if (!row.element.isConnected) body.append(row.element);
    }
  }
  for (const [key, { element }] of memberRows) {
    if (seen.has(key)) continue;
    element.remove();
    memberRows.delete(key);
  }
  filterMembers();
}

function filterMembers(): void {
  const wanted = byId<HTMLInputElement>('live-search').value.toLowerCase().split(/\s+/).filter(Boolean);
  const state = byId<HTMLSelectElement>('live-state').value;
  for (const { element, box, words, shown } of memberRows.values()) {
    const isState = state === '' || (shown !== null && shownState(shown.member) === state);
    element.hidden = !isState || !wanted.every((word) => words.includes(word));
    // Nothing is done to what nobody sees.
    if (element.hidden) box.checked = false;
  }
  showSelected(shownMembers());
}

function shownMembers(): readonly LiveRow[] {
  return [...memberRows.values()].filter(({ element }) => !element.hidden);
}

function shownState({ off, state }: LiveMember): LiveMember['state'] {
  return off ? 'disabled' : state;
}

function newMemberRow(pool: string, member: LiveMember): LiveRow {
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
  const label = `Select ${pool}/${member.name}`;
  const box = el('input', { type: 'checkbox', 'aria-label': label }) as HTMLInputElement;
  const element = el('tr', null, el('td', { class: 'pick' }, box), name, ...Object.values(cells));
  const row: LiveRow = {
    pool,
    name: member.name,
    box,
    element,
    cells,
    settings,
    edit,
    shown: null,
    text: '',
    words: '',
  };
  return row;
}

function updateMember(row: LiveRow, member: LiveMember, holders: readonly string[], text: string): void {
  const { why, until, inUse, limit } = member;
  const { pool } = row;
  row.text = text;
  const shown = shownState(member);
  row.words = [`${pool}/${member.name}`, member.kind, shown, why, ...holders].join(' ').toLowerCase();
  row.cells.state.className = `state ${shown}`;
  const reason = member.off ? 'disabled in the configuration' : why;
  row.cells.state.replaceChildren(shown, ...(reason ? [el('small', null, reason)] : []));
  row.cells.until.textContent = until === null ? '' : clockTime(until);
  const used = limit === null ? count(inUse) : `${count(inUse)} of ${count(limit)}`;
  const more = holders.length > MAX_HOLDERS ? [`and ${count(holders.length - MAX_HOLDERS)} more`] : [];
  const held = [...holders.slice(0, MAX_HOLDERS), ...more].map((line) => el('small', null, line));
  row.cells.used.replaceChildren(used, ...held);
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
      const response = await fetch(`/?update&token=${encodeURIComponent(param('token'))}`);
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
