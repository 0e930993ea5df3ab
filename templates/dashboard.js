/* The page works without this script; it adds filters, details and the rows that are not there from the start. */

const OUTCOMES = ['unexpected', 'flaky', 'expected', 'skipped'];
const OUTCOME_LABELS = { unexpected: 'Failed', flaky: 'Flaky', expected: 'Passed', skipped: 'Skipped' };
const VERDICTS = ['product', 'environment', 'unknown'];
const PAGE = 100;
const byId = (id) => document.getElementById(id);
const root = document.documentElement;
root.classList.add('script');

// ---- small helpers --------------------------------------------------------------------------------------------
/** An element; attributes by name, children as texts or elements. Texts are never read as markup. */
function el(name, attributes, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes ?? {})) if (value !== null) element.setAttribute(key, value);
  element.append(...children.filter((child) => child !== null && child !== ''));
  return element;
}
const count = (value) => Math.round(value).toLocaleString('en-US');
const trim = (text) => text.replace(/\.0$/, '');
function duration(ms) {
  if (ms === 0) return '0 ms';
  if (ms < 9.95) return `${trim(ms.toFixed(1))} ms`;
  if (ms < 999.5) return `${Math.round(ms)} ms`;
  if (ms < 59_950) return `${trim((ms / 1000).toFixed(1))} s`;
  const seconds = Math.round(ms / 1000);
  const parts = (large, unit, small, part) => `${count(large)} ${unit}${small ? ` ${small} ${part}` : ''}`;
  if (seconds < 3600) return parts(Math.floor(seconds / 60), 'min', seconds % 60, 's');
  const minutes = Math.round(ms / 60_000);
  if (minutes < 2880) return parts(Math.floor(minutes / 60), 'h', minutes % 60, 'min');
  return parts(Math.floor(ms / 86_400_000), 'd', Math.floor((ms % 86_400_000) / 3_600_000), 'h');
}
const clock = (at) => new Date(at).toISOString().slice(11, 19);
function debounced(action) {
  let timer;
  return () => {
    clearTimeout(timer);
    timer = setTimeout(action, 120);
  };
}

// ---- theme ----------------------------------------------------------------------------------------------------
const themeButton = byId('theme');
const prefersDark = matchMedia('(prefers-color-scheme: dark)');
const isDark = () => (root.dataset.theme ? root.dataset.theme === 'dark' : prefersDark.matches);
const sayTheme = () => (themeButton.textContent = isDark() ? 'Light theme' : 'Dark theme');
const stored = (action) => {
  try {
    return action();
  } catch {
    return null; // A page opened from a file may have no storage.
  }
};
const remembered = stored(() => localStorage.getItem('gemba-theme'));
if (remembered) root.dataset.theme = remembered;
sayTheme();
prefersDark.addEventListener('change', sayTheme);
themeButton.addEventListener('click', () => {
  root.dataset.theme = isDark() ? 'light' : 'dark';
  stored(() => localStorage.setItem('gemba-theme', root.dataset.theme));
  sayTheme();
});

// ---- rows that wait in a template -------------------------------------------------------------------------------
for (const button of document.querySelectorAll('button[data-rest]')) {
  button.addEventListener('click', () => {
    const template = button.previousElementSibling;
    template.previousElementSibling.querySelector('tbody').append(template.content);
    button.remove();
  });
}

// ---- timeline ---------------------------------------------------------------------------------------------------
const timeline = JSON.parse(byId('timeline-data').textContent);
const plots = byId('plots');
if (timeline && plots) {
  let at = -1;
  const buckets = timeline.attempts.length;
  const read = (index) => {
    at = Math.max(0, Math.min(buckets - 1, index));
    const plot = plots.querySelector('.plot').getBoundingClientRect();
    const cursor = byId('cursor');
    cursor.hidden = false;
    const left = plot.left - plots.getBoundingClientRect().left;
    cursor.style.left = `${left + ((at + 0.5) / buckets) * plot.width}px`;
    const avg = timeline.avg[at];
    const from = timeline.start + at * timeline.size;
    byId('readout').textContent =
      `${clock(from)}–${clock(from + timeline.size)}: ${count(timeline.attempts[at])} attempts, ` +
      `${count(timeline.failures[at])} failed${avg === null ? '' : `, average response ${duration(avg)}`}`;
  };
  plots.addEventListener('pointermove', (event) => {
    const box = plots.querySelector('.plot').getBoundingClientRect();
    if (event.clientX >= box.left) read(Math.floor(((event.clientX - box.left) / box.width) * buckets));
  });
  plots.addEventListener('keydown', (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!step) return;
    event.preventDefault();
    read(at + step);
  });
}
