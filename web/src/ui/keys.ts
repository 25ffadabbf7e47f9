import { addressOf, go, route } from '../store/route.ts';
import { isUnlocked, lock, unlock } from '../store/lock.ts';
import { closeInspector } from '../store/inspect.ts';
import { tabsOf } from './tabs.tsx';
import { panelKeys } from '../store/keys.ts';
import { settingsOpen } from './settings.tsx';

/** startKeys handles the keys of the whole page. They rest while a field or a dialog has the focus. */
export function startKeys(): void {
  addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
    const target = event.target as HTMLElement;
    if (target.closest('dialog')) return;
    if (event.key === 'Escape') return closeInspector();
    if (target.closest('input, select, textarea, [contenteditable]')) return;
    const { device, tab, wall } = route.value;
    if (event.key === '?') {
      settingsOpen.value = true;
      return;
    }
    if (!device || wall) return;
    if (panelKeys.peek()?.press(event)) return;
    if (event.key.toLowerCase() === 'l') {
      if (isUnlocked(device)) lock(device);
      else if (document.querySelector('.lockbox')) unlock(device);
    } else if (event.key === '/') {
      event.preventDefault();
      go(addressOf(device, 'points'));
      // The view is drawn in a microtask that is queued by now. Waiting for a frame would leave the next keys to the page:
      // an L typed right behind the slash would unlock the device.
      queueMicrotask(() => document.getElementById('search')?.focus());
    } else {
      const other = tabsOf(device, tab)[Number(event.key) - 1];
      if (other) go(addressOf(device, other.id));
    }
  });
}
