import { effect, signal } from '@preact/signals';

export type Theme = 'system' | 'light' | 'dark';
export type Palette = 'standard' | 'alternative';

const key = (name: string) => `patchbay.${name}`;

function kept<T extends string>(name: string, allowed: readonly T[], first: T): T {
  try {
    const value = localStorage.getItem(key(name)) as T | null;
    return value !== null && allowed.includes(value) ? value : first;
  } catch {
    return first;
  }
}

function keep(name: string, value: string): void {
  try {
    localStorage.setItem(key(name), value);
  } catch {
    return; // private windows may refuse; the choice then lasts as long as the tab
  }
}

export const themes: readonly Theme[] = ['system', 'light', 'dark'];
export const palettes: readonly Palette[] = ['standard', 'alternative'];

export const theme = signal<Theme>(kept('theme', themes, 'system'));
export const palette = signal<Palette>(kept('palette', palettes, 'standard'));

/** Loads from which an axis or spindle bar turns amber and red, in percent. */
export const loadAmber = signal(Number(kept('load-amber', ['50', '60', '70', '80', '90'], '80')));
export const loadRed = signal(Number(kept('load-red', ['80', '90', '100', '110', '120', '150'], '100')));

/** Shift and a digit put a source on air at once; off until somebody wants that. */
export const programKeys = signal(kept('program-keys', ['on', 'off'], 'off') === 'on');

/** The kind of panel that is shown: each field has colours of its own, and some are dark unless the reader chose otherwise. */
export const field = signal('');

const darkFields = ['switcher', 'audio', 'tally'];

/** applySettings puts the choices onto the document and keeps them for the next visit. */
export function applySettings(): void {
  const root = document.documentElement;
  effect(() => {
    const is = theme.value === 'system' && darkFields.includes(field.value) ? 'dark' : theme.value;
    if (is === 'system') delete root.dataset.theme;
    else root.dataset.theme = is;
    keep('theme', theme.value);
  });
  effect(() => void (root.dataset.field = field.value));
  effect(() => keep('program-keys', programKeys.value ? 'on' : 'off'));
  effect(() => {
    root.dataset.palette = palette.value;
    keep('palette', palette.value);
  });
  effect(() => keep('load-amber', String(loadAmber.value)));
  effect(() => keep('load-red', String(loadRed.value)));
}
