import { targetOf } from './dom.ts';

/** What the reader has unfolded; the live page unfolds it again after an update. */
const revealed = new Set<string>();
/** Templates whose content is a block of its own, not rows of the table before them. */
const BLOCKS: readonly string[] = ['trends', 'pools'];

/** Buttons with `data-rest` show the content of the template before them. */
export function setUpReveal(): void {
  document.addEventListener('click', (event) => {
    const button = targetOf(event)?.closest<HTMLElement>('button[data-rest]');
    if (button) reveal(button)?.focus({ preventScroll: true });
  });
}

export function revealAgain(): void {
  for (const button of document.querySelectorAll<HTMLElement>('button[data-rest]')) {
    if (revealed.has(button.dataset['rest']!)) reveal(button);
  }
}

/** Shows a block that is not shown yet. */
export function revealRest(rest: string): void {
  const button = document.querySelector<HTMLElement>(`button[data-rest="${rest}"]`);
  if (button) reveal(button);
}

/** Returns what takes the focus, now that the button is gone. */
function reveal(button: HTMLElement): HTMLElement | null {
  const rest = button.dataset['rest']!;
  const template = button.previousElementSibling as HTMLTemplateElement;
  const before = template.previousElementSibling as HTMLElement;
  const body = BLOCKS.includes(rest) ? null : before.querySelector('tbody');
  (body ?? button.parentElement)?.append(template.content);
  revealed.add(rest);
  button.remove();
  return body ? before : null;
}
