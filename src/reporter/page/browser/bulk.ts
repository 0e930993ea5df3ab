import { LIMITS } from '../../../core/limits.ts';
import { capital, count, counted, DURATION_UNITS } from '../../../shared/format.ts';
import type { AdminRequest, LiveAction } from '../../live/messages.ts';
import { byId, el } from './dom.ts';
import { post } from './post.ts';

/** A member of the list that can be selected. */
export interface Selectable {
  readonly pool: string;
  readonly name: string;
  readonly box: HTMLInputElement;
}

const AT_ONCE = 4;
const MAX_NAMES = 5;

/** What is done to all selected members. `shown`: those that the search leaves. */
export function setUpBulk(shown: () => readonly Selectable[]): void {
  byId<HTMLInputElement>('live-all').addEventListener('change', ({ target }) => {
    const { checked } = target as HTMLInputElement;
    for (const { box } of shown()) box.checked = checked;
    showSelected(shown());
  });
  for (const button of byId('live-bulk').querySelectorAll('button')) {
    button.addEventListener('click', () => {
      void act(button.dataset['bulk'] as LiveAction, selectedOf(shown()));
    });
  }
}

export function showSelected(shown: readonly Selectable[]): void {
  const { length } = selectedOf(shown);
  byId('live-selected').textContent = length === 0 ? 'None selected' : `${count(length)} selected`;
  const all = byId<HTMLInputElement>('live-all');
  all.checked = length > 0 && length === shown.length;
  all.indeterminate = length > 0 && length < shown.length;
}

/** Milliseconds of `30m` or `2h`; null for what is none. */
function durationOf(text: string): number | null {
  const [, amount, unit] = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(text.trim()) ?? [];
  const ms = Math.round(Number(amount) * DURATION_UNITS[unit as keyof typeof DURATION_UNITS]);
  return ms > 0 && ms <= LIMITS.durationMs ? ms : null;
}

function selectedOf(shown: readonly Selectable[]): Selectable[] {
  return shown.filter(({ box }) => box.checked);
}

let isBusy = false;

async function act(action: LiveAction, selected: readonly Selectable[]): Promise<void> {
  const reservation = action === 'reserve' ? reservationNow() : undefined;
  if (isBusy || reservation === null) return;
  if (selected.length === 0) return say('Select members in the list first.');
  isBusy = true;
  byId('live-bulk-results').replaceChildren();
  const kinds = new Map<string, string[]>();
  const waiting = selected.map(({ pool, name }): AdminRequest => ({ action, pool, name, reservation }));
  let done = 0;
  const work = async (): Promise<void> => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const member = `${next.pool}/${next.name}`;
      const kind = (await answerTo(next)).replaceAll(member, '…');
      kinds.set(kind, [...(kinds.get(kind) ?? []), member]);
      say(`${capital(action)}: ${count(++done)} of ${count(selected.length)}`);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  isBusy = false;
  say(`${capital(action)}: done for ${counted(selected.length, 'member')}.`);
  const items = [...kinds].map(([kind, members]) =>
    el(
      'li',
      null,
      el('span', null, `${count(members.length)}: ${kind.replace(/^… /, '')}`),
      el('small', null, namesOf(members)),
    ),
  );
  byId('live-bulk-results').replaceChildren(...items);
}

function answerTo(request: AdminRequest): Promise<string> {
  return post('/members', request).then(
    ({ text }) => text,
    () => 'the page could not reach its server',
  );
}

/** As the fields have it; null where one of them is no good, which is said. */
function reservationNow(): NonNullable<AdminRequest['reservation']> | null {
  const forMs = durationOf(byId<HTMLInputElement>('live-for').value);
  const reason = byId<HTMLInputElement>('live-reason').value.trim();
  if (forMs === null) say('Say for how long: a duration such as 30m or 2h, at most 596h.');
  else if (reason === '') say('Say why: tests that find nothing free show it.');
  else return { forMs, reason };
  return null;
}

function namesOf(members: readonly string[]): string {
  const more = members.length > MAX_NAMES ? ` and ${count(members.length - MAX_NAMES)} more` : '';
  return `${members.slice(0, MAX_NAMES).join(', ')}${more}`;
}

function say(text: string): void {
  byId('live-bulk-progress').textContent = text;
}
