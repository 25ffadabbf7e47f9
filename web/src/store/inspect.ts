import { signal } from '@preact/signals';

/** The point whose details are open beside the panel. */
export const inspected = signal<{ device: string; path: string } | null>(null);

let before: HTMLElement | null = null;

export function inspect(device: string, path: string): void {
  if (!inspected.peek()) before = document.activeElement as HTMLElement | null;
  inspected.value = { device, path };
}

/** closeInspector gives the focus back to where it came from. */
export function closeInspector(): void {
  if (!inspected.peek()) return;
  inspected.value = null;
  before?.focus?.();
  before = null;
}
