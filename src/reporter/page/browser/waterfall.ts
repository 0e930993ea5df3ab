import { count, counted, duration } from '../../../shared/format.ts';
import { el, svg } from './dom.ts';
import type { AttemptRequests, RequestItem } from './request-data.ts';

/** Requests of one attempt that are drawn: the last ones, which are nearest to its end. */
const MAX_ROWS = 100;
/** The shortest bar, in percent of the width. */
const LEAST = 0.8;

interface Axis {
  readonly begin: number;
  readonly end: number;
}

/** What an attempt requested, on one axis of time: waits light, requests in the tone of what they came to. */
export function waterfall({ requests, omitted }: AttemptRequests): HTMLElement | null {
  if (requests.length === 0) return null;
  const shown = requests.toSorted((a, b) => a.at - b.at).slice(-MAX_ROWS);
  const axis = axisOf(shown);
  const head = ['Request', 'Member', 'Result', 'Waited', 'Took', `Over ${duration(axis.end - axis.begin)}`];
  const cells = head.map((text) => {
    return el('th', { scope: 'col', class: text === 'Waited' || text === 'Took' ? 'n' : null }, text);
  });
  return el(
    'div',
    { class: 'scroll', tabindex: '0', role: 'group', 'aria-label': 'Requests of the attempt' },
    el(
      'table',
      { class: 'waterfall' },
      el('caption', null, captionOf(shown.length, requests.length + omitted)),
      el('thead', null, el('tr', null, ...cells)),
      el('tbody', null, ...shown.map((request) => row(request, axis))),
    ),
  );
}

function axisOf(requests: readonly RequestItem[]): Axis {
  const begin = Math.min(...requests.map(({ at, waitedMs }) => at - waitedMs));
  return { begin, end: Math.max(begin + 1, ...requests.map(({ at, tookMs }) => at + (tookMs ?? 0))) };
}

function captionOf(shown: number, all: number): string {
  if (shown === all) return counted(all, 'request');
  return `${count(shown)} of ${counted(all, 'request')}; the others are not shown here`;
}

function row(request: RequestItem, axis: Axis): HTMLElement {
  const { call, member, result, recovered, tookMs, waitedMs } = request;
  return el(
    'tr',
    null,
    el('td', { class: 'target' }, call || 'path not known'),
    el('td', null, member),
    el(
      'td',
      { class: recovered === null ? null : recovered ? 'warn' : 'bad' },
      result,
      recovered === null ? null : el('small', null, recovered ? ' recovered' : ' ended its call'),
    ),
    el('td', { class: 'n' }, waitedMs === 0 ? '–' : duration(waitedMs)),
    el('td', { class: 'n' }, tookMs === null ? '–' : duration(tookMs)),
    el('td', { class: 'bar-of' }, bar(request, axis)),
  );
}

function bar({ at, tookMs, waitedMs, recovered }: RequestItem, { begin, end }: Axis): SVGElement {
  const share = (ms: number): number => (100 * ms) / (end - begin);
  const box = (name: string, x: number, width: number): SVGElement => {
    const wide = Math.max(LEAST, width);
    const left = Math.min(100 - wide, x);
    return svg('rect', { class: name, x: left.toFixed(2), width: wide.toFixed(2), y: '1', height: '8' });
  };
  const start = share(at - begin);
  return svg(
    'svg',
    { viewBox: '0 0 100 10', preserveAspectRatio: 'none', 'aria-hidden': 'true' },
    waitedMs > 0 ? box('waited', start - share(waitedMs), share(waitedMs)) : null,
    box(recovered === null ? 'fine' : recovered ? 'cured' : 'bad', start, share(tookMs ?? 0)),
  );
}
