/** What a switcher's panel works out from its points: orders, rates, tally. All pure. */

export interface Source {
  key: string; // the switcher's own id
  text: string; // long name
  short: string; // as on a button
}

interface Told {
  value: number;
  key: string;
  text: string;
  short?: string;
}

/** sourcesOf are the sources of a bus as its buttons stand: cameras first, then black, bars, colours and the rest by their ids. */
export function sourcesOf(labels: readonly Told[], usable: (key: string) => boolean): Source[] {
  const camera = (l: Told) => l.value > 0 && l.value < 1000;
  return labels
    .filter((l) => usable(l.key))
    .sort((a, b) => Number(camera(b)) - Number(camera(a)) || a.value - b.value)
    .map((l) => ({ key: l.key, text: l.text || l.key, short: l.short || l.text || l.key }));
}

/** framesPerSecond of a video mode such as "1080i59.94" or "2160p25"; 0 when the name tells none. Interlaced modes count frames, not fields. */
export function framesPerSecond(mode: string): number {
  const m = /([ip])\s?(\d+(?:\.\d+)?)/i.exec(mode);
  if (!m) return 0;
  const rate = Math.round(Number(m[2]));
  return m[1]!.toLowerCase() === 'i' && rate > 30 ? rate / 2 : rate;
}

/** rateText writes a number of frames as s:ff; without a known video mode as frames. */
export function rateText(frames: number, fps: number): string {
  if (!Number.isFinite(frames)) return '–';
  if (!fps) return `${frames} f`;
  return `${Math.floor(frames / fps)}:${String(frames % fps).padStart(2, '0')}`;
}

/** rateOf reads "1:12" or a number of frames. */
export function rateOf(text: string, fps: number, min: number, max: number): { value: number } | { wrong: string } {
  const clean = text.trim();
  const parts = /^(\d+):(\d{1,2})$/.exec(clean);
  const frames = parts && fps ? Number(parts[1]) * fps + Number(parts[2]) : /^\d+$/.test(clean) ? Number(clean) : NaN;
  const range = max > 0 ? `, ${rateText(min, fps)} to ${rateText(max, fps)}` : '';
  const wanted = `Wanted: ${fps ? 'seconds:frames, or ' : ''}a number of frames${range}.`;
  if (Number.isNaN(frames)) return { wrong: wanted };
  if (parts && Number(parts[2]) >= fps) return { wrong: `A second has ${fps} frames. ${wanted}` };
  if (max > 0 && (frames < min || frames > max)) return { wrong: `Out of range. ${wanted}` };
  return { value: frames };
}

/** Tally of one source: on air, and chosen for the next transition. Both can be. */
export interface Tally {
  program: boolean;
  preview: boolean;
}

/** tallyOf reads the value of a tally point: off, preview, program, both. */
export function tallyOf(value: unknown): Tally {
  const key = String(value ?? '').toLowerCase();
  const both = key === 'both' || key === 'program-preview' || key === 'program+preview';
  return { program: both || key === 'program', preview: both || key === 'preview' };
}

/** groupOf is the numbered container that a point lies in, as deep as it goes: "me/1" of "me/1/transition/rate", "me/1/keyers/2" of its points. */
export function groupOf(path: string): string {
  const parts = path.split('/');
  for (let i = parts.length - 1; i > 0; i--) if (/^\d+$/.test(parts[i]!)) return parts.slice(0, i + 1).join('/');
  return '';
}

/** numberOf is the number at the end of a container's path. */
export const numberOf = (group: string): string => group.slice(group.lastIndexOf('/') + 1);
