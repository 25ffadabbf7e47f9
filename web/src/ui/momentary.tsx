import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { ComponentChildren } from 'preact';
import type { Entry } from '../store/store.ts';
import { guard, isUnlocked } from '../store/lock.ts';
import { route } from '../store/route.ts';
import { attemptOf, touch, visitorOf, wentWrong, write } from '../store/writing.ts';

interface Props {
  e: Entry;
  label: string;
  class?: string;
  children: ComponentChildren;
}

/**
 * Momentary is on for as long as it is held, by pointer, Space or Enter, and goes off with the hand: when that leaves, when
 * the focus or the page goes, when the panel locks. One that somebody else has left on goes off at a press, which needs no
 * unlocking. For tools that press without a key, as screen readers do, each press changes it.
 */
export function Momentary({ e, label, class: cls = '', children }: Props) {
  const [held, setHeld] = useState(false);
  const holding = useRef(false);
  const on = e.point.value?.value === true;
  const bad = e.point.value?.quality === 'bad';
  const assumed = e.point.value?.quality === 'uncertain';
  const a = attemptOf(e.device, e.path).value;
  const visitor = visitorOf(e.device, e.path).value;
  const locked = !isUnlocked(e.device);

  const set = (value: boolean, instant = false) => {
    touch(e.device, e.path);
    void write(e.device, e.path, value, { again: true, instant });
  };
  const begin = () => {
    if (holding.current) return;
    // What was let go a moment ago may not have been told yet.
    const letGo = a !== null && a.value === false && !wentWrong(a);
    if (on && !letGo) return set(false);
    if (!guard(e.device)) return;
    holding.current = true;
    setHeld(true);
    set(true);
  };
  const end = (instant = false) => {
    if (!holding.current) return;
    holding.current = false;
    setHeld(false);
    const last = attemptOf(e.device, e.path).peek();
    if (last && wentWrong(last)) return; // it never went on, and why stays at the control
    set(false, instant);
  };
  const ending = useRef(end);
  ending.current = end;
  useLayoutEffect(() => {
    const over = () => ending.current();
    const hidden = () => document.hidden && over();
    const leaving = () => ending.current(true);
    addEventListener('blur', over);
    addEventListener('beforeunload', leaving); // which is earlier than
    addEventListener('pagehide', leaving); // which comes in each case
    document.addEventListener('visibilitychange', hidden);
    return () => {
      removeEventListener('blur', over);
      removeEventListener('beforeunload', leaving);
      removeEventListener('pagehide', leaving);
      document.removeEventListener('visibilitychange', hidden);
      over();
    };
  }, []);
  useLayoutEffect(() => {
    if (locked) end();
  }, [locked]);

  const inside = (
    <>
      {assumed && <span class="hollow" title="not reported by the device" aria-hidden="true" />}
      {children}
      {a && !a.final && a.slow && <span class="progress" aria-hidden="true" />}
      {a && wentWrong(a) && (
        <span class="wrongmark" aria-hidden="true">
          !
        </span>
      )}
      {visitor && <span class="visitor">{visitor}</span>}
    </>
  );
  const look = `key told ${cls} ${on ? 'chosen' : ''} ${bad ? 'bad' : ''}`;
  if (!e.spec.value.writable || route.value.wall) {
    return (
      <span class={`lamp ${look}`} role="img" aria-label={`${label}${on ? ', on' : ''}`}>
        {inside}
      </span>
    );
  }
  const isKey = (event: KeyboardEvent) => event.key === ' ' || event.key === 'Enter';
  return (
    <button
      type="button"
      class={`cap momentary ${look} ${held || (a && !a.final) ? 'sent' : ''} ${locked ? 'locked' : ''}`}
      aria-label={`${label}, on while it is held`}
      aria-pressed={on}
      onPointerDown={(event) => {
        if (event.button !== 0) return;
        event.currentTarget.setPointerCapture(event.pointerId);
        begin();
      }}
      onPointerUp={() => end()}
      onPointerCancel={() => end()}
      onLostPointerCapture={() => end()}
      onContextMenu={(event) => event.preventDefault()} // a long touch asks for it
      onKeyDown={(event) => {
        if (!isKey(event)) return;
        event.preventDefault();
        if (!event.repeat) begin();
      }}
      onKeyUp={(event) => {
        if (!isKey(event)) return;
        event.preventDefault();
        end();
      }}
      onClick={(event) => {
        if (event.detail !== 0) return;
        if (holding.current) end();
        else begin();
      }}
      onBlur={() => end()}
    >
      {inside}
    </button>
  );
}
