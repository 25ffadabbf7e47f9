/** What a person typed, turned into a value of a point's kind, or a sentence that says what would be right. */

export interface Limits {
  kind: string;
  unit?: string;
  min?: number;
  max?: number;
  step?: number;
}

export type Typed = { value: boolean | number | string } | { wrong: string };

/** hasRange follows the API: both ends zero means "no range". */
export const hasRange = (l: Limits): boolean => (l.min ?? 0) !== 0 || (l.max ?? 0) !== 0;

/** rangeWords is "0 to 200 %", or '' without a range. */
export function rangeWords(l: Limits): string {
  if (!hasRange(l)) return '';
  return `${l.min ?? 0} to ${l.max ?? 0}${l.unit ? ` ${l.unit}` : ''}`;
}

/** typed checks an entry before it is sent. A decimal comma, a typographic minus and the unit behind a number are accepted. */
export function typed(text: string, l: Limits): Typed {
  if (l.kind === 'string' || l.kind === 'enum') return { value: text };
  const clean = text.trim();
  if (l.kind === 'bytes') {
    const hex = clean.replace(/\s+/g, '');
    return /^([0-9a-fA-F]{2})+$/.test(hex) ? { value: hex.toLowerCase() } : { wrong: 'Wanted: bytes as pairs of hex digits, such as 0a ff.' };
  }
  if (l.kind === 'bool') {
    if (/^(true|on|1)$/i.test(clean)) return { value: true };
    if (/^(false|off|0)$/i.test(clean)) return { value: false };
    return { wrong: 'Wanted: on or off.' };
  }
  const range = rangeWords(l);
  const wanted = `Wanted: a ${l.kind === 'int' ? 'whole ' : ''}number${range ? `, ${range}` : l.unit ? ` in ${l.unit}` : ''}.`;
  const digits = bare(clean.replace('−', '-'), l.unit ?? '');
  const number = /^[+-]?(\d+([.,]\d*)?|[.,]\d+)$/.test(digits) ? Number(digits.replace(',', '.')) : NaN;
  if (Number.isNaN(number)) return { wrong: wanted };
  if (l.kind === 'int' && !Number.isInteger(number)) return { wrong: wanted };
  if (hasRange(l) && (number < (l.min ?? 0) || number > (l.max ?? 0))) return { wrong: `Out of range. ${wanted}` };
  return { value: number };
}

/** bare takes the unit away that stands behind a number: "-12 dB" in a point of dB. */
export function bare(text: string, unit: string): string {
  return unit && text.toLowerCase().endsWith(unit.toLowerCase()) ? text.slice(0, -unit.length).trim() : text;
}
