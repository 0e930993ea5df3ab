// ---- timeline ---------------------------------------------------------------------------------------------------
let moment = -1;
let timelineOf = null;
let timeline = null;
function readTimeline() {
  const source = byId('timeline-data').textContent;
  if (source !== timelineOf) [timelineOf, timeline] = [source, JSON.parse(source)];
  return timeline;
}
/** Says what one moment was like, and marks it over all lanes. */
function readMoment(index) {
  const { requests, failures, avg, start, size } = readTimeline();
  const plots = byId('plots');
  moment = Math.max(0, Math.min(requests.length - 1, index));
  const plot = plots.querySelector('.plot').getBoundingClientRect();
  const cursor = byId('cursor');
  cursor.hidden = false;
  const left = plot.left - plots.getBoundingClientRect().left;
  cursor.style.left = `${left + ((moment + 0.5) / requests.length) * plot.width}px`;
  const from = start + moment * size;
  byId('readout').textContent =
    `${clock(from)}–${clock(from + size)}: ${count(requests[moment])} requests, ` +
    `${count(failures[moment])} failed${avg[moment] === null ? '' : `, average response ${duration(avg[moment])}`}`;
}
document.addEventListener('pointermove', (event) => {
  const plots = event.target.closest?.('#plots');
  if (!plots) return;
  const box = plots.querySelector('.plot').getBoundingClientRect();
  const index = Math.floor(((event.clientX - box.left) / box.width) * readTimeline().requests.length);
  if (event.clientX >= box.left && index !== moment) readMoment(index);
});
document.addEventListener('keydown', (event) => {
  const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  if (!step || !event.target.closest?.('#plots')) return;
  event.preventDefault();
  readMoment(moment + step);
});
