import { signal } from '@preact/signals';

/** What a screen reader is told once: alarms and the ends of writes. */
export const spoken = signal('');

export function announce(text: string): void {
  spoken.value = spoken.peek() === text ? `${text} ` : text;
}
