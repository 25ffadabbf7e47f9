import { useRef, useState } from 'preact/hooks';
import type { Label } from '../api/types.ts';
import { shelf, type Entry } from '../store/store.ts';
import { guard, isUnlocked } from '../store/lock.ts';
import { route } from '../store/route.ts';
import { attemptOf, visitorOf, wentWrong } from '../store/writing.ts';
import { askWrite } from './ask.ts';
import { Value } from './value.tsx';

/** labelsOf are the choices of an enumeration. */
export const labelsOf = (e: Entry): Label[] => shelf(e.device)?.labels[e.spec.value.labels ?? ''] ?? [];

/**
 * Pick chooses one of many, where a button for each would take too much room. It goes on showing what the device says. Keys
 * that walk through a closed list only propose, until Enter: nobody wants each source on the way on air.
 */
export function Pick({ e, label }: { e: Entry; label: string }) {
  const [proposed, setProposed] = useState<string | null>(null);
  const walking = useRef(false);
  const spec = e.spec.value;
  if (!spec.writable || route.value.wall) return <Value e={e} />;
  const point = e.point.value;
  const a = attemptOf(e.device, e.path).value;
  const visitor = visitorOf(e.device, e.path).value;
  const choices = labelsOf(e);
  const now = String(point?.value ?? '');
  const bad = point?.quality === 'bad';
  const send = (key: string) => {
    const wanted = choices.find((l) => l.key === key);
    if (wanted && key !== now) askWrite(e, wanted.key, wanted.text || wanted.key, { again: true });
  };
  return (
    <span class="picking">
      <select
        class={`pick ${a && !a.final ? 'sent' : ''} ${bad ? 'bad' : ''} ${isUnlocked(e.device) ? '' : 'locked'}`}
        aria-label={label}
        value={proposed ?? now}
        onMouseDown={(event) => {
          walking.current = false;
          if (!isUnlocked(e.device)) {
            event.preventDefault();
            guard(e.device);
          }
        }}
        onKeyDown={(event) => {
          walking.current = event.key !== 'Enter' && event.key !== ' ';
          if (event.key === 'Escape') setProposed(null);
          if (event.key !== 'Enter' || proposed === null) return;
          event.preventDefault();
          send(proposed);
          setProposed(null);
        }}
        onBlur={() => setProposed(null)}
        onChange={(event) => {
          const select = event.currentTarget;
          if (walking.current) return setProposed(select.value);
          const wanted = select.value;
          select.value = now; // until the device says otherwise
          send(wanted);
        }}
      >
        {!choices.some((l) => l.key === now) && <option value={now}>{point?.label || now || '–'}</option>}
        {choices.map((l) => (
          <option key={l.key} value={l.key}>
            {l.text || l.key}
          </option>
        ))}
      </select>
      {proposed !== null && proposed !== now && <span class="proposal">Enter sends it</span>}
      {a && !a.final && a.slow && <span class="progress" aria-hidden="true" />}
      {a && wentWrong(a) && <span class="wrongmark">!</span>}
      {visitor && <span class="visitor">{visitor}</span>}
    </span>
  );
}
