// The theme belongs to this browser and not to the agent, so it is not stored in the memory. This module has no imports
// and blocks the first paint, so that the page does not flash in the other theme.
type Theme = 'light' | 'dark';

const KEY = 'synth-memory.inspector.theme';
const system = matchMedia('(prefers-color-scheme: dark)');

function chosen(): Theme | undefined {
  try {
    const value = localStorage.getItem(KEY);
    return value === 'light' || value === 'dark' ? value : undefined;
  } catch {
    return undefined;
  }
}

const current = (): Theme => chosen() ?? (system.matches ? 'dark' : 'light');

function apply(): void {
  document.documentElement.dataset['theme'] = current();
  for (const button of document.querySelectorAll('[data-theme-toggle]')) {
    button.setAttribute('aria-pressed', String(current() === 'dark'));
  }
}

function toggle(): void {
  const next: Theme = current() === 'dark' ? 'light' : 'dark';
  try {
    localStorage.setItem(KEY, next);
  } catch {
    // If it cannot be stored, the choice lasts until the page is left.
  }
  document.documentElement.dataset['theme'] = next;
  apply();
}

apply();
system.addEventListener('change', apply);
// The theme was chosen in another tab, or in the page that this one is a frame of.
addEventListener('storage', apply);

export function connectThemeToggle(button: HTMLButtonElement): void {
  button.dataset['themeToggle'] = '';
  button.addEventListener('click', toggle);
  apply();
}
