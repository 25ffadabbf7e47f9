/** Words for times and sizes. All pure. */

/** span is a duration in the two coarsest fitting units: "4 s", "2 min", "1 h 05 min", "3 d 4 h". */
export function span(ms: number): string {
  const s = Math.max(0, Math.round(ms / 1000));
  if (s < 60) return `${s} s`;
  const min = Math.floor(s / 60);
  if (min < 60) return `${min} min`;
  const h = Math.floor(min / 60);
  if (h < 24) return min % 60 ? `${h} h ${String(min % 60).padStart(2, '0')} min` : `${h} h`;
  return h % 24 ? `${Math.floor(h / 24)} d ${h % 24} h` : `${Math.floor(h / 24)} d`;
}

/** clock is the time of day in the reader's own zone, with seconds. */
export function clock(at: number): string {
  const d = new Date(at);
  return [d.getHours(), d.getMinutes(), d.getSeconds()].map((n) => String(n).padStart(2, '0')).join(':');
}

/** stamp is clock with the date in front when it is not today. */
export function stamp(at: number, now: number): string {
  const d = new Date(at);
  if (d.toDateString() === new Date(now).toDateString()) return clock(at);
  const two = (n: number) => String(n).padStart(2, '0');
  return `${d.getFullYear()}-${two(d.getMonth() + 1)}-${two(d.getDate())} ${clock(at)}`;
}

const seconds: Record<string, number> = { 'µs': 1e-6, ms: 1e-3, s: 1, min: 60, h: 3600 };

/** elapsed writes a time counter as h:mm:ss; '' when the unit is not one of time. */
export function elapsed(value: number, unit: string): string {
  const factor = seconds[unit];
  if (factor === undefined || !Number.isFinite(value)) return '';
  const total = Math.floor(value * factor + 1e-6);
  const two = (n: number) => String(n).padStart(2, '0');
  return `${Math.floor(total / 3600)}:${two(Math.floor(total / 60) % 60)}:${two(total % 60)}`;
}

/** middle cuts a long name in its middle, so that both ends stay readable. */
export function middle(text: string, most: number): string {
  const letters = [...text];
  if (letters.length <= most) return text;
  const head = Math.ceil((most - 1) / 2);
  return `${letters.slice(0, head).join('')}…${letters.slice(letters.length - (most - 1 - head)).join('')}`;
}

/** clockText sets the control's date and time apart by a blank; the time is the control's own, in no zone. */
export const clockText = (value: unknown): string => String(value ?? '').replace(/^(\d{4}-\d\d-\d\d)T/, '$1 ');

/** words turns "not-reported" into "not reported". */
export const words = (key: string): string => key.replaceAll('-', ' ');

/** hexWords sets hex apart byte by byte, and cuts what is long: "a0 a0 a0 a0 00 01 …". */
export function hexWords(hex: string, most = 24): string {
  const bytes = hex.match(/../g) ?? [];
  return `${bytes.slice(0, most).join(' ')}${bytes.length > most ? ' …' : ''}`;
}
