import { signal } from '@preact/signals';

/** Page time in milliseconds, renewed each second: for ages and countdowns. */
export const now = signal(Date.now());

// The gateway's clock minus the page's. Messages only ever arrive late, so the largest difference seen is the best.
let offset = -Infinity;

/** heardAt learns from a time that the gateway has just written. */
export function heardAt(stamp: string | undefined): void {
  const at = stamp ? Date.parse(stamp) : NaN;
  if (!Number.isNaN(at)) offset = Math.max(offset, at - Date.now());
}

/** pageTime turns a time of the gateway into page time; 0 when there is none. */
export function pageTime(stamp: unknown): number {
  if (typeof stamp !== 'string' && typeof stamp !== 'number') return 0;
  const at = typeof stamp === 'number' ? stamp : Date.parse(stamp);
  if (Number.isNaN(at) || at <= 0) return 0;
  return offset === -Infinity ? at : at - offset;
}

export function startClock(): void {
  setInterval(() => (now.value = Date.now()), 1000);
}
