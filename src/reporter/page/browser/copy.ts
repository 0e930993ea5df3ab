import { targetOf } from './dom.ts';

const SAID_MS = 2000;

/** Buttons with `data-copy` copy the error that they stand in: place, message and code. */
export function setUpCopy(): void {
  document.addEventListener('click', (event) => {
    const button = targetOf(event)?.closest<HTMLElement>('button[data-copy]');
    const failure = button?.closest('.failure');
    if (button && failure) void copy(button, textOf(failure));
  });
}

function textOf(failure: Element): string {
  const parts = [...failure.querySelectorAll('code, pre')].map((part) => part.textContent);
  return parts.filter(Boolean).join('\n\n');
}

async function copy(button: HTMLElement, text: string): Promise<void> {
  const label = button.textContent;
  const done = (await copiedByClipboard(text)) || copiedBySelection(text);
  button.textContent = done ? 'Copied' : 'The browser refused';
  setTimeout(() => (button.textContent = label), SAID_MS);
}

/** A page from a server without TLS has no clipboard. */
async function copiedByClipboard(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}

/** Older, and allowed where the clipboard is not. */
function copiedBySelection(text: string): boolean {
  const field = document.createElement('textarea');
  const focused = document.activeElement as HTMLElement | null;
  field.value = text;
  document.body.append(field);
  field.select();
  const done = document.execCommand('copy');
  field.remove();
  focused?.focus();
  return done;
}
