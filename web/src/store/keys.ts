import { signal } from '@preact/signals';

/** PanelKeys are the keys that a panel has for itself while it is shown. */
export interface PanelKeys {
  help: [string, string][];
  press: (event: KeyboardEvent) => boolean; // says whether the key was one of them
}

export const panelKeys = signal<PanelKeys | null>(null);
