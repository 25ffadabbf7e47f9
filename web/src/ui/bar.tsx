import type { Entry } from '../store/store.ts';
import { loadAmber, loadRed } from '../store/settings.ts';
import { loadTone } from '../model/cnc.ts';
import { Name, Value } from './value.tsx';

/** LoadBar is a load in percent as number and bar; the bar ends at 120 % or the point's own upper end. */
export function LoadBar({ e, name }: { e: Entry; name: string }) {
  const point = e.point.value;
  const percent = Number(point?.value ?? 0);
  const end = Math.max(120, e.spec.value.max ?? 0);
  const bad = point?.quality !== 'good';
  const tone = bad ? 'lost' : loadTone(percent, loadAmber.value, loadRed.value);
  return (
    <span class={`load ${tone}`}>
      <Name e={e}>{name}</Name>
      <span class="track" aria-hidden="true">
        <span class="fill" style={{ width: `${Math.min(100, (Math.abs(percent) / end) * 100)}%` }} />
        <span class="tick" style={{ left: `${(100 / end) * 100}%` }} />
      </span>
      <Value e={e} why={false} />
    </span>
  );
}
