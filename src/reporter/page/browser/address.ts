/** The filters of the lists stand in the page's address, so a copied address shows the same. */
const params = new URLSearchParams(location.search);

export function param(name: string): string {
  return params.get(name) ?? '';
}

export function setParam(name: string, value: string): void {
  if (value) params.set(name, value);
  else params.delete(name);
  const query = params.toString();
  try {
    history.replaceState(null, '', `${query ? `?${query}` : location.pathname}${location.hash}`);
  } catch {
    // Where the page may not change its address, the filters work without it.
  }
}

/** Sets the controls to what the address says. */
export function showParams(within: ParentNode = document): void {
  for (const control of within.querySelectorAll<HTMLInputElement | HTMLSelectElement>('[data-param]')) {
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
}

/** The words of a search, in lower case: a row must contain each. */
export function wordsOf(text: string): string[] {
  return text.toLowerCase().split(/\s+/).filter(Boolean);
}
