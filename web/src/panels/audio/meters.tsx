import { signal, type Signal } from '@preact/signals';
import { useEffect, useRef, useState } from 'preact/hooks';
import { forgotten, type Entry } from '../../store/store.ts';
import { gateway } from '../../api/events.ts';
import { followMeters } from '../../store/meters.ts';
import { palette, theme } from '../../store/settings.ts';
import { levelOf, levelText, Needle, rangeOf, type LevelRange } from '../../model/audio.ts';
import { Board, coloursOf, type Place } from './board.ts';

interface Meter {
  e: Entry;
  range: LevelRange;
  needle: Needle;
  seen: number; // sequence of the newest level
  box: HTMLElement;
  place: Place | null; // null: not in sight
  peak: Signal<string>; // what stands above
  clip: Signal<boolean>;
}

const meters = new Set<Meter>();
const surveyed = 200; // ms for which the places of meters hold: asking for them at each frame costs more than drawing

/** MeterOf is the place of one meter, with the peak above it; the drawing is done on one canvas over the whole panel. */
export function MeterOf({ e, name, flat = false }: { e: Entry; name: string; flat?: boolean }) {
  const box = useRef<HTMLSpanElement>(null);
  const mine = useRef<Meter | null>(null);
  const [peak] = useState(() => signal('−∞'));
  const [clip] = useState(() => signal(false));
  useEffect(() => {
    const m: Meter = { e, range: rangeOf(e.spec.peek()), needle: new Needle(), seen: -1, box: box.current!, place: null, peak, clip };
    mine.current = m;
    meters.add(m);
    return () => void meters.delete(m);
  }, [e]);
  const reset = () => {
    mine.current?.needle.reset();
    peak.value = '−∞';
    clip.value = false;
  };
  return (
    <span class={`meter ${flat ? 'flat' : ''}`}>
      <button type="button" class={`peak ${clip.value ? 'clip' : ''}`} aria-label={`Highest level of ${name}: ${peak.value} dBFS${clip.value ? ', clipped' : ''}. Press to reset.`} onClick={reset}>
        {clip.value ? 'CLIP' : peak.value}
      </button>
      <span class="well" ref={box} role="img" aria-label={`Level of ${name}`} />
    </span>
  );
}

/** MeterCanvas draws every meter of the panel, once per frame, and follows their levels while it can be seen. */
export function MeterCanvas({ device }: { device: string }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const visible = useVisible();
  const again = forgotten.value;
  const look = `${theme.value} ${palette.value}`;
  useEffect(() => (visible ? followMeters(device, '40ms') : undefined), [device, visible, again]);

  useEffect(() => {
    if (!visible) return;
    const home = canvas.current!.parentElement!;
    const board = new Board(canvas.current!);
    const still = matchMedia('(prefers-reduced-motion: reduce)').matches;
    let frame = 0;
    let last = performance.now();
    let told = 0;
    let looked = 0;
    let counted = 0;
    let dressed = 0;
    const draw = (now: number) => {
      frame = requestAnimationFrame(draw);
      if (still && now - last < 250) return;
      const passed = Math.min(0.5, (now - last) / 1000);
      last = now;
      if (now - looked > surveyed || meters.size !== counted) {
        survey(home);
        looked = now;
        counted = meters.size;
      }
      if (now - dressed > 1000) {
        board.dress(coloursOf(home));
        dressed = now;
      }
      const speak = now - told > 100;
      if (speak) told = now;
      for (const m of meters) {
        const trusted = step(m, passed, speak, still);
        const { shown: level, peak, clipped } = m.needle;
        if (m.place) board.put({ ...m.place, level, peak, clipped, trusted });
      }
      board.paint();
    };
    const moved = () => (looked = 0);
    addEventListener('scroll', moved, { capture: true, passive: true });
    addEventListener('resize', moved);
    frame = requestAnimationFrame(draw);
    return () => {
      cancelAnimationFrame(frame);
      removeEventListener('scroll', moved, { capture: true });
      removeEventListener('resize', moved);
    };
  }, [visible, look]);

  return <canvas ref={canvas} class="metercanvas" aria-hidden="true" />;
}

/** survey finds where the meters stand on the panel, and which of them are in sight. */
function survey(home: HTMLElement): void {
  const around = home.getBoundingClientRect();
  for (const m of meters) {
    const box = m.box.getBoundingClientRect();
    const seen = box.width > 0 && box.bottom > 0 && box.top < innerHeight;
    m.place = seen ? { x: Math.round(box.left - around.left), y: Math.round(box.top - around.top), w: Math.round(box.width), h: Math.round(box.height) } : null;
  }
}

/** step lets time pass for one meter, and says whether its level can be trusted. */
function step(m: Meter, passed: number, speak: boolean, still: boolean): boolean {
  const point = m.e.point.peek();
  const trusted = point !== null && point.quality !== 'bad' && gateway.peek().state !== 'lost';
  m.box.classList.toggle('bad', !trusted);
  if (!trusted) {
    m.needle.shown = -Infinity;
    return false;
  }
  const level = levelOf(point.value, point.text, m.range);
  if (point.seq !== m.seen) {
    m.seen = point.seq;
    m.needle.hear(level);
  }
  if (still) m.needle.shown = level;
  else m.needle.step(passed, level);
  if (speak) {
    m.peak.value = levelText(m.needle.peak);
    m.clip.value = m.needle.clipped;
  }
  return true;
}

/** useVisible says whether the page itself can be seen. */
function useVisible(): boolean {
  const [visible, setVisible] = useState(!document.hidden);
  useEffect(() => {
    const look = () => setVisible(!document.hidden);
    document.addEventListener('visibilitychange', look);
    return () => document.removeEventListener('visibilitychange', look);
  }, []);
  return visible;
}
