import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { Entry } from '../store/store.ts';
import { guard, isUnlocked } from '../store/lock.ts';
import { route } from '../store/route.ts';
import { attemptOf, visitorOf, wentWrong, write } from '../store/writing.ts';
import type { Typed } from '../model/entry.ts';
import { Entering } from './exact.tsx';

/** Scale maps a value to its place on the way of a fader, 0 to 1, and back. */
export interface Scale {
  place: (value: number) => number;
  value: (place: number) => number;
  step: number; // of a key or a notch of the wheel
  fine: number; // the same with Shift
}

interface Props {
  e: Entry;
  label: string;
  scale: Scale;
  say: (value: number) => string; // spoken, with the unit
  now: number; // what the device says, as a number
  class?: string;
  read?: (text: string) => Typed; // of an exact entry, when it is not a plain number
  wanted?: string; // what such an entry looks like
  once?: boolean; // the way ends with the drag: at its end the device begins anew
  rest?: number; // where a double click and the key 0 go; none for what must not become loud by a slip
  climb?: number; // the most that one write may go up by: a hand that is faster is followed in steps of it
}

const pace = 50; // ms between two values while the hand moves
const telling = 1000; // ms that a device may take to tell of what it has accepted

/**
 * Fader moves relative to where it is grabbed. The cap is where the device says; while the hand moves, an outline shows what
 * was asked for. Wheel and arrows act with focus only, Shift is fine, Home goes to the lowest, Enter takes an exact value.
 */
export function Fader({ e, label, scale, say, now, class: cls = '', read, wanted: hint, once = false, rest, climb = Infinity }: Props) {
  const track = useRef<HTMLDivElement>(null);
  const [wanted, setWanted] = useState<number | null>(null);
  const [entering, setEntering] = useState(false);
  const drag = useRef<{ at: number; place: number; length: number; across: boolean } | null>(null);
  const due = useRef<{ timer: number; value: number | null; last: number; busy: boolean }>({ timer: 0, value: null, last: 0, busy: false });
  const told = useRef(now);
  told.current = now;
  const asked = useRef<{ value: number; from: number; until: number } | null>(null); // the newest write, and what the device said before
  const locked = !isUnlocked(e.device);
  const writable = e.spec.value.writable === true && !route.value.wall;
  const a = attemptOf(e.device, e.path).value;
  const visitor = visitorOf(e.device, e.path).value;
  const bad = e.point.value?.quality === 'bad';

  // One value is under way at a time, and behind it only the newest: a hand that moves leaves no queue.
  const send = (value: number) => {
    const d = due.current;
    d.value = value;
    if (d.timer || d.busy) return;
    const go = async () => {
      d.timer = 0;
      if (d.value === null) return;
      const next = Math.min(d.value, told.current + climb);
      // The rest of a steep way follows while the hand is still there, and only as long as the device goes along.
      const onward = next < d.value && drag.current !== null && going() ? d.value : null;
      d.value = null;
      d.last = performance.now();
      d.busy = true;
      asked.current = { value: next, from: told.current, until: 0 };
      await write(e.device, e.path, next, { again: true, quiet: true });
      d.busy = false;
      asked.current.until = performance.now() + telling;
      d.value ??= drag.current && going() ? onward : null;
      if (d.value !== null) send(d.value);
    };
    d.timer = window.setTimeout(() => void go(), Math.max(0, d.last + pace - performance.now()));
  };
  const going = () => {
    const last = attemptOf(e.device, e.path).peek();
    return !last || !wentWrong(last);
  };
  // aim is where steps count from: what was asked for, until the device has told of it. Two quick presses are two steps.
  const aim = (): number => {
    const last = asked.current;
    if (due.current.value !== null) return due.current.value;
    if (!last || !going()) return told.current;
    const untold = told.current === last.from && performance.now() < last.until;
    return due.current.busy || untold ? last.value : told.current;
  };
  useEffect(() => () => clearTimeout(due.current.timer), []);
  // A press on the lock, or a lost tab, ends the grip; what was asked for is no longer wanted.
  useLayoutEffect(() => {
    if (locked) release();
  }, [locked]);

  const release = () => {
    drag.current = null;
    setWanted(null);
  };
  const move = (place: number) => {
    const value = scale.value(Math.min(1, Math.max(0, place)));
    setWanted(value);
    send(value);
    if (once && place >= 1) release();
  };
  const nudge = (steps: number, fine: boolean) => {
    if (!guard(e.device)) return;
    const value = aim() + steps * (fine ? scale.fine : scale.step);
    send(scale.value(Math.min(1, Math.max(0, scale.place(value)))));
  };
  useLayoutEffect(() => {
    const box = track.current;
    const wheel = (event: WheelEvent) => {
      if (document.activeElement !== box) return;
      event.preventDefault();
      nudge(event.deltaY < 0 ? 1 : -1, event.shiftKey);
    };
    box?.addEventListener('wheel', wheel, { passive: false });
    return () => box?.removeEventListener('wheel', wheel);
  });

  const jump = (value: number) => {
    if (guard(e.device)) send(value);
  };

  const place = scale.place(now);
  const style = { '--place': String(place), '--wanted': String(scale.place(wanted ?? now)) };
  const inside = (
    <>
      <span class="rail" aria-hidden="true" />
      <span class={`knob ${bad ? 'bad' : ''}`} aria-hidden="true" />
      {wanted !== null && <span class="ghost" aria-hidden="true" />}
      {visitor && <span class="visitor">{visitor}</span>}
      {a && wentWrong(a) && <span class="wrongmark">!</span>}
    </>
  );
  if (!writable) {
    return (
      <div class={`fader still ${cls}`} style={style} role="meter" aria-label={label} aria-valuenow={now} aria-valuetext={say(now)}>
        {inside}
      </div>
    );
  }
  return (
    <>
      <div
        ref={track}
        class={`fader ${cls} ${locked ? 'locked' : ''}`}
        style={style}
        role="slider"
        tabIndex={0}
        aria-label={label}
        aria-valuenow={now}
        aria-valuetext={say(now)}
        onPointerDown={(event) => {
          if (event.button !== 0 || !guard(e.device)) return;
          const box = event.currentTarget.getBoundingClientRect();
          const across = box.width > box.height;
          drag.current = { at: across ? event.clientX : event.clientY, place, length: across ? box.width : box.height, across };
          event.currentTarget.setPointerCapture(event.pointerId);
        }}
        onPointerMove={(event) => {
          const d = drag.current;
          if (!d) return;
          const way = d.across ? event.clientX - d.at : d.at - event.clientY;
          if (wanted === null && Math.abs(way) < 3) return;
          const slow = event.shiftKey ? 0.1 : 1;
          move(d.place + (way / d.length) * slow);
        }}
        onPointerUp={release}
        onPointerCancel={release}
        onDblClick={() => {
          if (rest !== undefined) jump(rest);
        }}
        onKeyDown={(event) => {
          if (event.ctrlKey || event.metaKey || event.altKey) return;
          const steps = { ArrowUp: 1, ArrowRight: 1, ArrowDown: -1, ArrowLeft: -1, PageUp: 6, PageDown: -6 }[event.key];
          if (steps) {
            event.preventDefault();
            nudge(steps, event.shiftKey);
          } else if (event.key === 'Home' || (event.key === '0' && rest !== undefined)) {
            event.preventDefault();
            event.stopPropagation();
            jump(event.key === 'Home' ? scale.value(0) : rest!);
          } else if (event.key === 'Enter') {
            event.preventDefault();
            event.stopPropagation();
            if (guard(e.device)) setEntering(true);
          }
        }}
      >
        {inside}
      </div>
      {entering && (
        <Entering
          e={e}
          label={label}
          wanted={hint}
          read={read}
          close={() => {
            setEntering(false);
            track.current?.focus();
          }}
        />
      )}
    </>
  );
}
