/** The filters of the lists stand in the page's address, so a copied address shows the same, and "Back" returns to the filters before. */
let params = new URLSearchParams(location.search);
/** The search field whose words are being typed: they are one step of the history. */
let typing: string | null = null;
/** What waits to be written into the address. */
let pending: { readonly typed: string | null } | null = null;

type Control = HTMLInputElement | HTMLSelectElement;

export function param(name: string): string {
  return params.get(name) ?? '';
}

/** Changes that are made together are one step of the history. `typed`: by a key press in a search field. */
export function setParam(name: string, value: string, typed: boolean = false): void {
  if (value) params.set(name, value);
  else params.delete(name);
  if (!pending) queueMicrotask(writeAddress);
  pending = { typed: typed ? name : null };
}

function writeAddress(): void {
  const isSameStep = pending?.typed !== null && pending?.typed === typing;
  typing = pending?.typed ?? null;
  pending = null;
  noteFilters();
  const query = params.toString();
  if (query === location.search.slice(1)) return;
  const address = `${query ? `?${query}` : location.pathname}${location.hash}`;
  try {
    if (isSameStep) history.replaceState(null, '', address);
    else history.pushState(null, '', address);
  } catch {
    // Where the page may not change its address, the filters work without it.
  }
}

/** Calls back when the reader went to an address with other filters. */
export function onReturn(action: () => void): void {
  addEventListener('popstate', () => {
    const now = new URLSearchParams(location.search);
    if (now.toString() === params.toString()) return;
    params = now;
    typing = null;
    action();
  });
}

/** Sets the controls to what the address says. */
export function showParams(within: ParentNode = document): void {
  for (const control of within.querySelectorAll<Control>('[data-param]')) {
    const value = param(control.dataset['param']!);
    if (control.type === 'radio') {
      (control as HTMLInputElement).checked = control.value === value;
      continue;
    }
    if ('options' in control && ![...control.options].some((option) => option.value === value)) {
      control.append(new Option(value, value));
    }
    control.value = value;
  }
  noteFilters();
}

/** Paper has no controls: the heading of a list says what it was filtered by. */
function noteFilters(): void {
  for (const section of document.querySelectorAll<HTMLElement>('main > section')) {
    const heading = section.querySelector('h2');
    const filters = [...section.querySelectorAll<Control>('[data-param]')].map(filterText).filter(Boolean);
    if (filters.length > 0) heading?.setAttribute('data-filters', filters.join('; '));
    else heading?.removeAttribute('data-filters');
  }
}

/** `Verdict: environment (4)`; empty where a control filters nothing. */
function filterText(control: Control): string {
  if (control.value === '' || (control.type === 'radio' && !(control as HTMLInputElement).checked)) return '';
  if (control.type === 'radio') {
    return `${control.closest('fieldset')?.querySelector('legend')?.textContent}: ${control.parentElement?.textContent}`;
  }
  const label = control.parentElement?.firstChild?.textContent ?? '';
  const value = 'options' in control ? control.selectedOptions[0]?.text : control.value;
  return `${label}: ${value}`;
}

/** The words of a search, in lower case: a row must contain each. */
export function wordsOf(text: string): string[] {
  return text.toLowerCase().split(/\s+/).filter(Boolean);
}
