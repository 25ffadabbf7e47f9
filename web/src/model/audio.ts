/** Levels: how decibels are written, where they stand on a fader, and how a meter falls. All pure. */

export interface LevelRange {
  min: number; // the lowest level with a number; below it is silence
  max: number;
  silence: number; // a level that means none at all; -Infinity when the device has no such number
}

interface Told {
  min?: number;
  max?: number;
  attributes?: Record<string, string>;
}

const inaudible = -120; // dB; a range or a level that goes this low means silence by its end

/**
 * rangeOf is the range of a level. A point says in its attribute "silence" which number stands for none at all; without
 * one it is the lower end of a range that nobody could hear the end of.
 */
export function rangeOf(spec: Told): LevelRange {
  const told = spec.attributes?.['silence'];
  const has = (spec.min ?? 0) !== 0 || (spec.max ?? 0) !== 0;
  const min = has ? (spec.min ?? 0) : -60;
  const silence = told !== undefined ? Number(told) : has ? (min <= inaudible ? min : -Infinity) : inaudible;
  return { min, max: has ? (spec.max ?? 0) : 0, silence };
}

/** levelOf is the level that a point says: -Infinity for silence, NaN when it says none. The API has no number for minus infinity. */
export function levelOf(value: unknown, text: string | undefined, range: LevelRange): number {
  if (value === null && text !== undefined && /^[-−]\s?(inf|∞)/i.test(text)) return -Infinity;
  if (typeof value !== 'number') return NaN;
  return value <= range.silence ? -Infinity : value;
}

/** levelText writes a level: "−24.0", "−∞", "0.0". */
export function levelText(level: number, decimals = 1): string {
  if (Number.isNaN(level)) return '–';
  if (level === -Infinity) return '−∞';
  const text = level.toFixed(decimals);
  return (Number(text) === 0 ? (0).toFixed(decimals) : text).replace('-', '−');
}

// Where levels stand on a mixing fader, as on desks: most of the way belongs to the loud ones.
const taper: [number, number][] = [[-90, 0.03], [-60, 0.08], [-40, 0.22], [-20, 0.48], [-10, 0.66], [0, 0.86], [6, 1]];

/** LevelScale places levels on a fader of one range. At its very start stands silence, where the device has it. */
export class LevelScale {
  private readonly points: [number, number][];
  private readonly range: LevelRange;
  readonly step = 1;
  readonly fine = 0.1;

  constructor(range: LevelRange) {
    this.range = range;
    const mute = range.silence > -Infinity;
    const low = mute ? Math.max(range.min, -90) : range.min;
    const inside = mute || range.max - range.min > 80 ? taper.filter(([level]) => level > low && level < range.max) : [];
    const first: [number, number] = [low, mute ? 0.03 : 0];
    const top = inside.length > 0 ? inside.at(-1)![1] : 0;
    // What lies above the table's place for the top keeps its order and ends at 1.
    const scale = top > 0 ? 1 / interpolate(taper, range.max) : 1;
    this.points = [first, ...inside.map(([level, place]): [number, number] => [level, Math.min(0.995, place * scale)]), [range.max, 1]];
  }

  place = (level: number): number => {
    if (Number.isNaN(level)) return 0;
    if (level === -Infinity || level <= this.range.silence) return 0;
    return interpolate(this.points, level);
  };

  /** value is a number that can be sent: silence is the device's own number for it. */
  value = (place: number): number => {
    const mute = this.range.silence > -Infinity;
    if (mute && place < 0.015) return this.range.silence;
    const back = this.points.map(([level, p]): [number, number] => [p, level]);
    return Math.round(interpolate(back, Math.max(place, this.points[0]![1])) * 10) / 10;
  };
}

/** interpolate finds y at x on a line of points that rise in x; outside it keeps the ends. */
function interpolate(points: readonly (readonly [number, number])[], x: number): number {
  const first = points[0]!;
  if (x <= first[0]) return first[1];
  for (let i = 1; i < points.length; i++) {
    const [x0, y0] = points[i - 1]!;
    const [x1, y1] = points[i]!;
    if (x <= x1) return y0 + ((y1 - y0) * (x - x0)) / (x1 - x0);
  }
  return points.at(-1)![1];
}

export const fall = 20; // dB per second
export const clipAt = 0; // dBFS
export const amberFrom = -6;
export const marks = [-42, -24, -18, -12, -6, 0] as const;
export const meterFloor = -60;

/** meterPlace is where a level stands on a meter, 0 to 1. */
export const meterPlace = (level: number): number => (level === -Infinity || Number.isNaN(level) ? 0 : Math.min(1, Math.max(0, (level - meterFloor) / -meterFloor)));

/** Needle is what a meter shows: up at once, down slowly; the highest level since it was touched, and a clip that stays. */
export class Needle {
  shown = -Infinity;
  peak = -Infinity;
  clipped = false;

  /** hear takes a new level. */
  hear(level: number): void {
    if (Number.isNaN(level)) return;
    if (level > this.shown) this.shown = level;
    if (level > this.peak) this.peak = level;
    if (level >= clipAt) this.clipped = true;
  }

  /** step lets time pass over the level that is still told. */
  step(seconds: number, level: number): void {
    const floor = Number.isNaN(level) ? -Infinity : level;
    if (this.shown > floor) this.shown = Math.max(floor, this.shown - fall * seconds);
    if (this.shown < meterFloor - 20 && floor === -Infinity) this.shown = -Infinity;
  }

  reset(): void {
    this.peak = -Infinity;
    this.clipped = false;
  }
}

/** pairsOf puts channels into rows: those that are together with the next share one with it. */
export function pairsOf(all: readonly string[], together: (at: string, place: number) => boolean): string[][] {
  const rows: string[][] = [];
  for (let i = 0; i < all.length; i++) {
    const pair = i + 1 < all.length && together(all[i]!, i);
    rows.push(pair ? [all[i]!, all[++i]!] : [all[i]!]);
  }
  return rows;
}

/** panText writes a place between left and right: "L 40", "C", "R 100". */
export function panText(value: number, most: number): string {
  const percent = Math.round((value / most) * 100);
  if (percent === 0) return 'C';
  return `${percent < 0 ? 'L' : 'R'} ${Math.abs(percent)}`;
}

/** codeIn finds a code that people compare, such as "123 456" or "4F:09:AA", in a text; '' when there is none. */
export function codeIn(text: string): string {
  return /(?:code|pin)\b[^\dA-F]{0,12}((?:[\dA-F]{2,}[ :-]?){2,}|\d{4,})/i.exec(text)?.[1]?.trim() ?? '';
}
