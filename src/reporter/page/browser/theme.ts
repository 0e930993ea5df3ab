import { byId } from './dom.ts';

const STORAGE_KEY = 'gemba-theme';

/** The button that switches between light and dark; the choice is kept in the browser. */
export function setUpTheme(): void {
  const root = document.documentElement;
  const button = byId('theme');
  const prefersDark = matchMedia('(prefers-color-scheme: dark)');
  const isDark = (): boolean => {
    return root.dataset['theme'] ? root.dataset['theme'] === 'dark' : prefersDark.matches;
  };
  const label = (): void => {
    button.textContent = isDark() ? 'Light theme' : 'Dark theme';
  };
  const kept = stored(() => localStorage.getItem(STORAGE_KEY));
  if (kept) root.dataset['theme'] = kept;
  label();
  prefersDark.addEventListener('change', label);
  button.addEventListener('click', () => {
    const theme = isDark() ? 'light' : 'dark';
    root.dataset['theme'] = theme;
    stored(() => localStorage.setItem(STORAGE_KEY, theme));
    label();
  });
}

/** A page opened from a file may have no storage. */
function stored<T>(action: () => T): T | null {
  try {
    return action();
  } catch {
    return null;
  }
}
