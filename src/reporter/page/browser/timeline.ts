import { clockTime, count, duration } from '../../../shared/format.ts';
import type { TimelineData } from '../data-format.ts';
import { byId, targetOf } from './dom.ts';

let moment = -1;
let source: string | null = null;
let timeline: TimelineData | null = null;

/** The pointer and the arrow keys read single moments of the timeline. */
export function setUpTimeline(): void {
  document.addEventListener('pointermove', (event) => {
    const plots = targetOfAny(event)?.closest('#plots');
    if (!plots) return;
    const box = plots.querySelector('.plot')!.getBoundingClientRect();
    const index = Math.floor(((event.clientX - box.left) / box.width) * timelineData().requests.length);
    if (event.clientX >= box.left && index !== moment) showMoment(index);
  });
  document.addEventListener('keydown', (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!step || !targetOf(event)?.closest('#plots')) return;
    event.preventDefault();
    showMoment(moment + step);
  });
}

/** The plots are SVG. */
function targetOfAny(event: Event): Element | null {
  return event.target instanceof Element ? event.target : null;
}

function timelineData(): TimelineData {
  const text = byId('timeline-data').textContent;
  // The live page replaces it.
  if (timeline === null || text !== source) timeline = JSON.parse(text) as TimelineData;
  source = text;
  return timeline;
}

/** Shows the numbers of one moment, and marks it over all rows. */
function showMoment(index: number): void {
  const { requests, failures, avg, start, size } = timelineData();
  const plots = byId('plots');
  moment = Math.max(0, Math.min(requests.length - 1, index));
  const plot = plots.querySelector('.plot')!.getBoundingClientRect();
  const cursor = byId('cursor');
  cursor.hidden = false;
  const left = plot.left - plots.getBoundingClientRect().left;
  cursor.style.left = `${left + ((moment + 0.5) / requests.length) * plot.width}px`;
  const from = start + moment * size;
  const mean = avg[moment] ?? null;
  byId('readout').textContent =
    `${clockTime(from)}–${clockTime(from + size)}: ${count(requests[moment]!)} requests, ` +
    `${count(failures[moment]!)} failed${mean === null ? '' : `, average response ${duration(mean)}`}`;
}
