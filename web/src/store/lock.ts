import { signal } from '@preact/signals';

const idleLimit = 30 * 60_000;
const hiddenLimit = 5 * 60_000;

/** The devices that this tab has unlocked. Leaving a panel does not lock it; idleness does. */
export const unlocked = signal<ReadonlySet<string>>(new Set());

/** The device of which a port that is shown may be taken: that wants the lock too, where no point may be written. */
export const takeable = signal('');

/** Rises with each press of a locked control; the lock shakes. */
export const shakes = signal(0);

let active = Date.now();
let hidden = 0;

export const isUnlocked = (device: string): boolean => unlocked.value.has(device);

export function unlock(device: string): void {
  active = Date.now();
  unlocked.value = new Set([...unlocked.value, device]);
}

export function lock(device: string): void {
  unlocked.value = new Set([...unlocked.value].filter((d) => d !== device));
}

export function lockAll(): void {
  if (unlocked.peek().size > 0) unlocked.value = new Set();
}

/** guard says whether a control of the device may act, and shakes its lock when not. */
export function guard(device: string): boolean {
  if (isUnlocked(device)) return true;
  shakes.value++;
  return false;
}

/** startLock locks everything after 30 idle minutes and when the tab was hidden for 5. */
export function startLock(): void {
  const touch = () => (active = Date.now());
  addEventListener('pointerdown', touch, { capture: true, passive: true });
  addEventListener('keydown', touch, { capture: true, passive: true });
  addEventListener('visibilitychange', () => (hidden = document.hidden ? Date.now() : 0));
  setInterval(() => {
    const now = Date.now();
    const over = now - active > idleLimit || (hidden > 0 && now - hidden > hiddenLimit);
    if (over) lockAll();
  }, 1000);
}
