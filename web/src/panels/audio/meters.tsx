import { signal, type Signal } from '@preact/signals';
import { useEffect, useRef, useState } from 'preact/hooks';
import { forgotten, type Entry } from '../../store/store.ts';
import { gateway } from '../../api/events.ts';
import { followMeters } from '../../store/meters.ts';
import { palette, theme } from '../../store/settings.ts';
import { amberFrom, levelOf, levelText, marks, meterPlace, Needle, rangeOf, type LevelRange } from '../../model/audio.ts';

interface Meter {
  e: Entry;
  range: LevelRange;
  needle: Needle;
  seen: number; // sequence of the newest level
  box: HTMLElement;
  peak: Signal<string>; // what stands above
  clip: Signal<boolean>;
}

const meters = new Set<Meter>();
const margin = 200; // px above and below what is in sight that are drawn as well

/** MeterOf is the place of one meter, with the peak above it; the drawing is done on one canvas over the whole panel. */
export function MeterOf({ e, name, flat = false }: { e: Entry; name: string; flat?: boolean }) {
  const box = useRef<HTMLSpanElement>(null);
  const mine = useRef<Meter | null>(null);
  const [peak] = useState(() => signal('−∞'));
  const [clip] = useState(() => signal(false));
  useEffect(() => {
    const m: Meter = { e, range: rangeOf(e.spec.peek()), needle: new Needle(), seen: -1, box: box.current!, peak, clip };
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
    const board = canvas.current!;
    const home = board.parentElement!;
    const pen = board.getContext('2d')!;
    const still = matchMedia('(prefers-reduced-motion: reduce)').matches;
    let colours = coloursOf(home);
    let frame = 0;
    let last = performance.now();
    let told = 0;
    let dressed = 0;
    const draw = (now: number) => {
      frame = requestAnimationFrame(draw);
      if (still && now - last < 250) return;
      const passed = Math.min(0.5, (now - last) / 1000);
      last = now;
      if (now - dressed > 1000) {
        colours = coloursOf(home);
        dressed = now;
      }
      // The canvas is a window on the panel that moves with what is in sight: a long panel would need one too large.
      const around = home.getBoundingClientRect();
      const high = Math.min(around.height, innerHeight + 2 * margin);
      const top = Math.round(Math.max(0, Math.min(-around.top - margin, around.height - high)));
      const scale = devicePixelRatio;
      const [w, h] = [Math.round(around.width * scale), Math.round(high * scale)];
      if (board.width !== w || board.height !== h) {
        board.width = w;
        board.height = h;
        board.style.height = `${high}px`;
      }
      board.style.transform = `translateY(${top}px)`;
      pen.setTransform(scale, 0, 0, scale, 0, -top * scale);
      pen.clearRect(0, top, around.width, high);
      const speak = now - told > 100;
      if (speak) told = now;
      for (const m of meters) step(m, passed, pen, around, colours, speak, still);
    };
    frame = requestAnimationFrame(draw);
    return () => cancelAnimationFrame(frame);
  }, [visible, look]);

  return <canvas ref={canvas} class="metercanvas" aria-hidden="true" />;
}

interface Colours {
  green: string;
  amber: string;
  red: string;
  line: string;
  text: string;
  dim: string;
}

function coloursOf(home: HTMLElement): Colours {
  const probe = document.createElement('span');
  probe.hidden = true;
  home.append(probe);
  const of = (name: string) => {
    probe.style.color = `var(${name})`;
    return getComputedStyle(probe).color;
  };
  const all = { green: of('--green-fill'), amber: of('--amber-fill'), red: of('--red-fill'), line: of('--edge'), text: of('--text'), dim: of('--dim') };
  probe.remove();
  return all;
}

function step(m: Meter, passed: number, pen: CanvasRenderingContext2D, around: DOMRect, colours: Colours, speak: boolean, still: boolean): void {
  const point = m.e.point.peek();
  const trusted = point !== null && point.quality !== 'bad' && gateway.peek().state !== 'lost';
  m.box.classList.toggle('bad', !trusted);
  if (!trusted) {
    m.needle.shown = -Infinity;
    return;
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
  const box = m.box.getBoundingClientRect();
  if (box.bottom < -margin || box.top > innerHeight + margin || box.width === 0) return;
  const [x, y, w, h] = [box.left - around.left, box.top - around.top, box.width, box.height];
  const flat = w > h;
  const at = (level: number) => meterPlace(level) * (flat ? w : h);
  const bar = (from: number, to: number, colour: string) => {
    if (to <= from) return;
    pen.fillStyle = colour;
    if (flat) pen.fillRect(x + from, y, to - from, h);
    else pen.fillRect(x, y + h - to, w, to - from);
  };
  const top = at(m.needle.shown);
  bar(0, Math.min(top, at(amberFrom)), colours.green);
  bar(at(amberFrom), top, colours.amber);
  if (m.needle.clipped) bar((flat ? w : h) - 4, flat ? w : h, colours.red);
  else if (m.needle.peak > -Infinity) bar(at(m.needle.peak) - 1, at(m.needle.peak) + 1, colours.text);
  for (const mark of marks) bar(at(mark) - 0.5, at(mark) + 0.5, colours.line);
  if (flat || h < 120) return;
  pen.fillStyle = colours.dim;
  pen.font = '9px system-ui, sans-serif';
  pen.textBaseline = 'middle';
  for (const mark of marks) pen.fillText(mark === 0 ? '0' : `−${-mark}`, x + w + 3, y + h - at(mark));
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
