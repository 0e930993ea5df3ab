/** An element of the page; throws where the template lacks it. */
export function byId<T extends HTMLElement = HTMLElement>(id: string): T {
  const found = document.getElementById(id);
  if (!found) throw new Error(`The page has no element #${id}.`);
  return found as T;
}

/** An element that only some pages have. */
export function findId<T extends HTMLElement = HTMLElement>(id: string): T | null {
  return document.getElementById(id) as T | null;
}

export type Child = Node | string | null;

/** Makes an element. Texts are never read as markup. */
export function el(
  name: string,
  attributes: Readonly<Record<string, string | null>> | null,
  ...children: readonly Child[]
): HTMLElement {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes ?? {})) {
    if (value !== null) element.setAttribute(key, value);
  }
  for (const child of children) if (child !== null && child !== '') element.append(child);
  return element;
}

/** Makes an element of a drawing. */
export function svg(
  name: string,
  attributes: Readonly<Record<string, string>>,
  ...children: readonly (SVGElement | null)[]
): SVGElement {
  const element = document.createElementNS('http://www.w3.org/2000/svg', name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  for (const child of children) if (child !== null) element.append(child);
  return element;
}

/** The element that an event came from. */
export function targetOf(event: Event): HTMLElement | null {
  return event.target instanceof HTMLElement ? event.target : null;
}

const TYPING_MS = 120;

/** Waits until nothing more is typed. */
export function debounced<T>(action: (given: T) => void): (given: T) => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  return (given) => {
    clearTimeout(timer);
    timer = setTimeout(() => action(given), TYPING_MS);
  };
}
