import { clockTime, count, counted, duration } from '../../../shared/format.ts';
import { FIRST_REQUESTS, RECOVERIES } from '../data-format.ts';
import { param, setParam, showParams, wordsOf } from './address.ts';
import { labelMore, linkTo, load, PAGE, type PageData } from './data.ts';
import { byId, el, findId, targetOf } from './dom.ts';
import { loadRequests, type RequestItem, type ShownRequests } from './request-data.ts';

const PARAMS = [
  'request-status',
  'request-result',
  'request-member',
  'request-order',
  'request-text',
] as const;
const NONE = '–';

let limit = FIRST_REQUESTS;

/** The log of all requests that the report lists, with its filters. */
export function setUpRequests(): void {
  document.addEventListener('click', (event) => {
    const id = targetOf(event)?.id;
    if (id === 'requests-more') {
      limit += PAGE;
      return void listRequests();
    }
    if (id !== 'requests-clear') return;
    for (const name of PARAMS) setParam(name, '');
    showParams(byId('requests'));
    byId('requests-title').focus({ preventScroll: true });
    void relistRequests();
  });
}

function areRequestsFiltered(): boolean {
  return PARAMS.some(param);
}

async function listRequests(): Promise<void> {
  const [data, log] = await Promise.all([load(), loadRequests()]);
  const rows = findId('requests-rows');
  if (!rows) return;
  const found = inOrder(findRequests(log, data), log);
  const shown = Math.min(found.length, limit);
  rows.replaceChildren(...Array.from(found.subarray(0, shown), (index) => requestRow(log.item(index), data)));
  if (found.length === 0) {
    rows.append(
      el('tr', null, el('td', { colspan: '7', class: 'empty' }, 'No request matches these filters.')),
    );
  }
  byId('requests-shown').textContent = `${count(shown)} of ${counted(found.length, 'request')}`;
  labelMore(byId('requests-more'), found.length - shown);
  byId('requests-clear').hidden = !areRequestsFiltered();
}

export function relistRequests(): Promise<void> {
  limit = areRequestsFiltered() ? PAGE : FIRST_REQUESTS;
  return listRequests();
}

/** Lists what the reader asked for; else the list stays as the markup has it, which needs none of the requests. */
export async function showRequests(): Promise<void> {
  const rows = findId('requests-rows');
  if (!rows) return;
  if (areRequestsFiltered()) limit = Math.max(limit, PAGE);
  if (limit > FIRST_REQUESTS) return listRequests();
  labelMore(byId('requests-more'), Number(rows.dataset['listed']) - rows.children.length);
}

function findRequests(log: ShownRequests, { tests }: PageData): Int32Array {
  const fits = filterOf(log);
  const words = wordsOf(param('request-text'));
  const { calls, members, kinds, call, member, kind, status } = log.data;
  // Each text is read once, not once a request.
  const lists = words.map((word) => {
    const contains = (text: string): boolean => text.toLowerCase().includes(word);
    return {
      word,
      calls: calls.map(contains),
      members: members.map((names) => contains(names.filter(Boolean).join('/'))),
      kinds: kinds.map(contains),
      tests: tests.map(({ title }) => contains(title)),
    };
  });
  const found = new Int32Array(log.length);
  let length = 0;
  for (let index = 0; index < log.length; index++) {
    const isFound =
      fits(index) &&
      lists.every(
        (list) =>
          list.calls[call[index]!] ||
          list.members[member[index]!] ||
          list.kinds[kind[index]!] ||
          list.tests[log.test[index]!] ||
          (status[index] !== 0 && String(status[index]) === list.word),
      );
    if (isFound) found[length++] = index;
  }
  return found.subarray(0, length);
}

/** Whether a request fits the chosen status, result and member. */
function filterOf({ data }: ShownRequests): (index: number) => boolean {
  const [status, result, member] = PARAMS.map(param);
  const wantedStatus = status === 'no response' ? 0 : Number(status);
  const kind = data.kinds.indexOf(result!);
  const recovery = RECOVERIES.indexOf(
    result === 'recovered' ? true : result === 'ended its call' ? false : null,
  );
  const fitsMember = data.members.map(([pool, endpoint, key]) => {
    return [endpoint, key].some((name) => name !== null && `${pool}/${name}` === member);
  });
  return (index) =>
    (!status || data.status[index] === wantedStatus) &&
    (!member || fitsMember[data.member[index]!] === true) &&
    (!result || (kind >= 0 ? data.kind[index] === kind : recovery > 0 && data.recovered[index] === recovery));
}

function inOrder(found: Int32Array, log: ShownRequests): Int32Array {
  const order = param('request-order');
  const { tookMs, waitedMs } = log.data;
  if (order === 'slow') return found.sort((a, b) => tookMs[b]! - tookMs[a]!);
  if (order === 'waited') return found.sort((a, b) => waitedMs[b]! - waitedMs[a]!);
  return found.sort((a, b) => log.at[a]! - log.at[b]!);
}

function requestRow(request: RequestItem, { tests }: PageData): HTMLElement {
  const { recovered, tookMs, waitedMs } = request;
  const test = tests[request.test];
  const recovery = recovered === null ? null : recovered ? 'recovered' : 'ended its call';
  return el(
    'tr',
    null,
    el('td', { class: 'time' }, clockTime(request.at)),
    el('th', { scope: 'row', class: 'call' }, request.call),
    el(
      'td',
      { class: recovered === null ? 'kind' : 'kind fault' },
      request.result,
      recovery === null ? null : el('small', null, recovery),
    ),
    el('td', { class: 'member' }, request.member),
    el('td', { class: waitedMs >= 0.5 ? 'n' : 'n none' }, waitedMs >= 0.5 ? duration(waitedMs) : NONE),
    el('td', { class: 'n' }, tookMs === null ? NONE : duration(tookMs)),
    el('td', null, test ? el('a', { href: linkTo(test) }, test.title) : null),
  );
}
