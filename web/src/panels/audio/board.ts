import { amberFrom, marks, meterPlace } from '../../model/audio.ts';

/** Place is where a meter stands, in px of the panel. */
export interface Place {
  x: number;
  y: number;
  w: number;
  h: number;
}

/** Shown is one meter as it is to be seen. */
export interface Shown extends Place {
  level: number; // dBFS
  peak: number;
  clipped: boolean;
  trusted: boolean; // else only its place is kept free, for the hatching below
}

export interface Colours {
  green: string;
  amber: string;
  red: string;
  line: string;
  text: string;
  dim: string;
}

/** coloursOf reads the colours of the page where the panel stands. */
export function coloursOf(home: HTMLElement): Colours {
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

const labelled = 120; // px of height from which the marks carry their numbers
const beside = 28; // px to the right of a meter for them

/**
 * Board is the one canvas of all meters. It is as large as what holds those in sight, and a frame paints only the meters that
 * look different from the frame before: most of the time most of them do not.
 */
export class Board {
  private readonly canvas: HTMLCanvasElement;
  private readonly pen: CanvasRenderingContext2D;
  private colours: Colours = { green: '', amber: '', red: '', line: '', text: '', dim: '' };
  private next: Shown[] = [];
  private places = '';
  private drawn: string[] = [];

  constructor(canvas: HTMLCanvasElement) {
    this.canvas = canvas;
    this.pen = canvas.getContext('2d')!;
  }

  /** dress takes new colours. */
  dress(colours: Colours): void {
    if (Object.entries(colours).every(([name, value]) => this.colours[name as keyof Colours] === value)) return;
    this.colours = colours;
    this.places = '';
  }

  /** put adds a meter to the frame that paint shows next. */
  put(meter: Shown): void {
    this.next.push(meter);
  }

  /** paint shows the frame. */
  paint(): void {
    const all = this.next;
    this.next = [];
    const places = `${devicePixelRatio} ${all.map((m) => `${m.x},${m.y},${m.w},${m.h}`).join(' ')}`;
    const anew = places !== this.places;
    if (anew) {
      this.places = places;
      this.drawn = [];
      this.lay(all);
    }
    all.forEach((m, i) => {
      const look = lookOf(m);
      if (this.drawn[i] === look) return;
      this.drawn[i] = look;
      this.pen.clearRect(m.x, m.y, m.w, m.h);
      if (m.trusted) this.meter(m);
      if (anew && m.trusted && m.h >= labelled) this.numbers(m);
    });
  }

  /** lay puts the canvas where the meters are; that empties it. */
  private lay(all: readonly Shown[]): void {
    const left = Math.min(...all.map((m) => m.x));
    const top = Math.min(...all.map((m) => m.y)) - 6;
    const wide = all.length === 0 ? 0 : Math.max(...all.map((m) => m.x + m.w)) - left + beside;
    const high = all.length === 0 ? 0 : Math.max(...all.map((m) => m.y + m.h)) - top + 6;
    const scale = devicePixelRatio;
    this.canvas.width = Math.round(wide * scale);
    this.canvas.height = Math.round(high * scale);
    if (all.length === 0) return;
    Object.assign(this.canvas.style, { width: `${wide}px`, height: `${high}px`, transform: `translate(${left}px, ${top}px)` });
    this.pen.setTransform(scale, 0, 0, scale, -left * scale, -top * scale);
  }

  private meter(m: Shown): void {
    const { colours, pen } = this;
    const flat = m.w > m.h;
    const long = flat ? m.w : m.h;
    const at = (level: number) => meterPlace(level) * long;
    const bar = (from: number, to: number, colour: string) => {
      if (to <= from) return;
      pen.fillStyle = colour;
      if (flat) pen.fillRect(m.x + from, m.y, Math.min(to, long) - from, m.h);
      else pen.fillRect(m.x, m.y + m.h - Math.min(to, long), m.w, Math.min(to, long) - from);
    };
    bar(0, Math.min(at(m.level), at(amberFrom)), colours.green);
    bar(at(amberFrom), at(m.level), colours.amber);
    if (m.clipped) bar(long - 4, long, colours.red);
    else if (m.peak > -Infinity) bar(Math.max(0, at(m.peak) - 1), at(m.peak) + 1, colours.text);
    for (const mark of marks) bar(at(mark) - 0.5, at(mark) + 0.5, colours.line);
  }

  private numbers(m: Shown): void {
    const { pen } = this;
    pen.fillStyle = this.colours.dim;
    pen.font = '9px system-ui, sans-serif';
    pen.textBaseline = 'middle';
    for (const mark of marks) pen.fillText(mark === 0 ? '0' : `−${-mark}`, m.x + m.w + 3, m.y + m.h - meterPlace(mark) * m.h);
  }
}

/** lookOf tells whether two frames of a meter look the same, to a quarter of a pixel. */
function lookOf(m: Shown): string {
  const at = (level: number) => Math.round(meterPlace(level) * Math.max(m.w, m.h) * 4);
  return `${at(m.level)} ${m.peak > -Infinity ? at(m.peak) : ''} ${m.clipped} ${m.trusted}`;
}
