import { useLayoutEffect, useRef } from 'preact/hooks';
import { isUnlocked, lock, shakes, unlock } from '../store/lock.ts';
import { Hold } from './hold.tsx';

function Padlock({ open }: { open: boolean }) {
  return (
    <svg class="padlock" viewBox="0 0 20 20" aria-hidden="true">
      <path d={open ? 'M6 9 V6 a4 4 0 0 1 7.700 -1.500' : 'M6 9 V6.500 a4 4 0 0 1 8 0 V9'} fill="none" stroke="currentColor" stroke-width="2" />
      <rect x="4" y="9" width="12" height="8.500" rx="1.500" fill="currentColor" />
    </svg>
  );
}

/** LockButton unlocks a device for this tab after 0.6 s, and locks it at once. It shakes when a locked control is pressed. */
export function LockButton({ device }: { device: string }) {
  const box = useRef<HTMLSpanElement>(null);
  const seen = useRef(shakes.peek());
  const shake = shakes.value;
  useLayoutEffect(() => {
    if (shake === seen.current) return;
    seen.current = shake;
    const list = box.current?.classList;
    list?.remove('shake');
    void box.current?.offsetWidth; // restarts the movement
    list?.add('shake');
  }, [shake]);

  const open = isUnlocked(device);
  const was = useRef(open);
  const byKey = useRef(false);
  useLayoutEffect(() => {
    // The button is another one now; the focus stays where a keyboard left it. A mouse leaves none, so that Space cuts
    // and does not lock.
    if (was.current !== open && byKey.current && (document.activeElement === document.body || !document.activeElement)) {
      box.current?.querySelector('button')?.focus({ preventScroll: true });
    }
    was.current = open;
    byKey.current = false;
  }, [open]);

  return (
    <span
      ref={box}
      class="lockbox"
      onKeyDown={() => (byKey.current = true)}
      onPointerDown={() => (byKey.current = false)}
      onAnimationEnd={() => box.current?.classList.remove('shake')}
    >
      {open ? (
        <button type="button" class="lock open" aria-pressed="true" aria-label="Unlocked. Press to lock." onClick={() => lock(device)}>
          <Padlock open />
          <span class="lockword">Unlocked</span>
        </button>
      ) : (
        <Hold seconds={0.6} class="lock" label="Locked. Hold for 0.6 seconds, or press L, to unlock." onHeld={() => unlock(device)}>
          <Padlock open={false} />
          <span class="lockword">Locked</span>
        </Hold>
      )}
    </span>
  );
}
