import { VERDICTS } from '../../../core/types.ts';
import { clockTime, count, duration } from '../../../shared/format.ts';
import type { PackedAttemptError, PackedLease, PackedResult } from '../data-format.ts';
import type { PageData, TestItem } from './data.ts';
import { type Child, el } from './dom.ts';
import type { ShownRequests } from './request-data.ts';
import { waterfall } from './waterfall.ts';

/** One attempt of a test: what it failed with and why, what it did, and what it held. */
export function attemptDetails(
  test: TestItem,
  result: PackedResult,
  data: PageData,
  log: ShownRequests,
): HTMLElement {
  const [retry, , , verdict, evidence, , , leases, , refused, attempt] = result;
  const [errors, trace] = attempt;
  const judged = VERDICTS[verdict];
  const link = data.traces[trace];
  return el(
    'section',
    { class: 'attempt' },
    el(
      'p',
      { class: 'result' },
      el('b', null, retry === 0 ? 'First attempt' : `Retry ${retry}`),
      refused ? ' not run: an earlier attempt was a product failure' : ` ${attemptText(result, data)}`,
      judged ? el('span', { class: `v ${judged}` }, judged) : null,
      link === undefined
        ? null
        : el('a', { href: link, title: 'Open it with: npx playwright show-trace' }, 'Trace'),
    ),
    ...errors.map((error) => failure(test, error, data)),
    evidence.length
      ? el('ul', { class: 'evidence' }, ...evidence.map((index) => el('li', null, data.evidence[index]!)))
      : null,
    refused ? null : waterfall(log.ofAttempt(test.index, retry)),
    refused
      ? null
      : leases.length
        ? leaseTable(leases, data)
        : el('p', { class: 'empty' }, 'It took no lease, so nothing was measured.'),
  );
}

/** An error with its code and place; the button copies all of it. */
function failure(test: TestItem, error: PackedAttemptError, data: PageData): HTMLElement {
  const [message, snippet, file, line, column] = error;
  const said = data.texts[message] ?? 'The message is in report.json: the page holds no more of them.';
  const code = data.texts[snippet];
  const name = data.files[file];
  const place = name === undefined ? '' : `${name}:${line}:${column}`;
  return el(
    'div',
    { class: 'failure' },
    el(
      'p',
      { class: 'failure-head' },
      el('code', null, place),
      el(
        'button',
        { type: 'button', class: 'link', 'data-copy': '', 'aria-label': `Copy error: ${test.title}` },
        'Copy error',
      ),
    ),
    el('pre', { tabindex: '0', role: 'group', 'aria-label': 'Error message' }, ...diffLines(said)),
    code === undefined
      ? null
      : el(
          'pre',
          { class: 'code', tabindex: '0', role: 'group', 'aria-label': 'Code' },
          ...markedLines(code),
        ),
  );
}

/** Lines that a diff adds or removes have a tone of their own. */
function diffLines(text: string): Child[] {
  return lines(text, (line) => (line.startsWith('+ ') ? 'ins' : line.startsWith('- ') ? 'del' : null));
}

/** Playwright marks the line of the error with `>`. */
function markedLines(text: string): Child[] {
  return lines(text, (line) => (/^\s*>/.test(line) ? 'mark' : null));
}

/** The text as few nodes: lines without an element of their own stay together. */
function lines(text: string, elementOf: (line: string) => string | null): Child[] {
  const children: Child[] = [];
  let plain = '';
  for (const line of text.split('\n')) {
    const name = elementOf(line);
    if (name === null) {
      plain += `${line}\n`;
      continue;
    }
    children.push(plain, el(name, null, line), '\n');
    plain = '';
  }
  return [...children, plain.replace(/\n$/, '')];
}

/** `passed after 1.2 s, from 02:10:04 in worker 3` */
function attemptText([, status, tookMs, , , shard, worker, , began]: PackedResult, data: PageData): string {
  const where = [shard > 0 ? `shard ${shard}` : '', worker >= 0 ? `worker ${worker}` : ''];
  const place = where.filter(Boolean).join(', ');
  const ended = status === 'timedOut' ? 'timed out' : status;
  const from = clockTime(data.start + began * 1000);
  return `${ended} after ${duration(tookMs)}, from ${from}${place ? ` in ${place}` : ''}`;
}

function leaseTable(leases: readonly PackedLease[], data: PageData): HTMLElement {
  const head = ['Endpoint and key', 'Waited', 'Held', 'Requests', 'Failures'].map((text, index) =>
    el('th', { scope: 'col', class: index ? 'n' : null }, text),
  );
  const rows = leases.map(([member, waited, held, requests, failures, rerouted]) => {
    const cells = [duration(waited), duration(held), count(requests), count(failures)];
    const numbers = cells.map((text) => el('td', { class: 'n' }, text));
    const name = [data.members[member]!, rerouted ? ' (one call, rerouted)' : ''];
    return el('tr', null, el('td', null, ...name), ...numbers);
  });
  return el('table', null, el('thead', null, el('tr', null, ...head)), el('tbody', null, ...rows));
}
