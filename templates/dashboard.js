/* The page works without this script; it adds filters, details and the rows that are not there from the start. */

const OUTCOMES = ['unexpected', 'flaky', 'expected', 'skipped'];
const OUTCOME_LABELS = { unexpected: 'Failed', flaky: 'Flaky', expected: 'Passed', skipped: 'Skipped' };
const VERDICTS = ['product', 'environment', 'unknown'];
const MARKS = ['degraded', 'pinned', 'not measured'];
const PAGE = 50;
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
  return (...given) => {
    clearTimeout(timer);
    timer = setTimeout(() => action(...given), 120);
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

// ---- the page's address -----------------------------------------------------------------------------------------
/** What the lists are filtered by stands in the address, so that a link shows what its sender saw. */
const params = new URLSearchParams(location.search);
const param = (name) => params.get(name) ?? '';
function setParam(name, value) {
  if (value) params.set(name, value);
  else params.delete(name);
  const query = params.toString();
  try {
    history.replaceState(null, '', `${query ? `?${query}` : location.pathname}${location.hash}`);
  } catch {
    // Where the page may not change its address, the filters work all the same.
  }
}
/** Brings the controls to what the address says. */
function showParams(within = document) {
  for (const control of within.querySelectorAll('[data-param]')) {
    const value = param(control.dataset.param);
    if (control.type === 'radio') control.checked = control.value === value;
    else {
      if (control.options && ![...control.options].some((option) => option.value === value)) {
        control.append(new Option(value, value));
      }
      control.value = value;
    }
  }
}
const wordsOf = (text) => text.toLowerCase().split(/\s+/).filter(Boolean);

// ---- what is shown on demand --------------------------------------------------------------------------------------
const revealed = new Set();
/** A button with `data-rest` brings the rows of the template before it into the table before that. */
function reveal(button) {
  const template = button.previousElementSibling;
  const before = template.previousElementSibling;
  const body = ['trends', 'pools'].includes(button.dataset.rest) ? null : before.querySelector('tbody');
  (body ?? button.parentElement).append(template.content);
  revealed.add(button.dataset.rest);
  button.remove();
  return body ? before : null;
}
document.addEventListener('click', (event) => {
  const button = event.target.closest?.('button[data-rest]');
  if (button) reveal(button)?.focus({ preventScroll: true });
});
