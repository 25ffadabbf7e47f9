/** Where points belong together: by their paths, and by roles within one numbered container. */

/** natural orders "axes/x2" before "axes/x10". */
const collator = new Intl.Collator('en', { numeric: true });

export function byPath(a: string, b: string): number {
  const as = a.split('/');
  const bs = b.split('/');
  for (let i = 0; i < as.length && i < bs.length; i++) {
    const d = collator.compare(as[i]!, bs[i]!);
    if (d !== 0) return d;
  }
  return as.length - bs.length;
}

// Linear axes first, as on the control's own screen; other names behind them.
const axisOrder = 'xyzuvwabc';

/** byAxis orders axis names: X Y Z U V W A B C, and X before X2. */
export function byAxis(a: string, b: string): number {
  const rank = (name: string) => {
    const i = axisOrder.indexOf(name.charAt(0));
    return i < 0 ? axisOrder.length : i;
  };
  return rank(a) - rank(b) || collator.compare(a, b);
}

// The order in which controls list their modal words.
const modalOrder = 'gmsfdht';

/** byModal orders modal words: G M S F D H T, then the rest. */
export function byModal(a: string, b: string): number {
  const rank = (name: string) => (modalOrder.includes(name.charAt(0)) ? modalOrder.indexOf(name.charAt(0)) : modalOrder.length);
  return rank(a) - rank(b) || collator.compare(a, b);
}

/** parent is the path without its last segment. */
export const parent = (path: string): string => path.slice(0, Math.max(0, path.lastIndexOf('/')));

/** last is the last segment. */
export const last = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

/** containerOf is the numbered container a point lies in: "path/1" of "path/1/axes/x/absolute"; '' for the device. */
export function containerOf(path: string, kind: string): string {
  const [head, number] = path.split('/');
  return head === kind && number !== undefined && /^\d+$/.test(number) ? `${head}/${number}` : '';
}

// From the largest place to the smallest, as ISA-95 orders them.
const placeOrder = ['site', 'area', 'line', 'cell'];

/** placeOf is where a device stands, the largest place first: "works-2 / hall-3 / milling / cell-7". Other labels stand behind. */
export function placeOf(labels: Record<string, string>): string {
  const rank = (key: string) => (placeOrder.includes(key) ? placeOrder.indexOf(key) : placeOrder.length);
  const keys = Object.keys(labels).sort((a, b) => rank(a) - rank(b) || collator.compare(a, b));
  return keys.map((key) => labels[key]).filter(Boolean).join(' / ');
}

/** matches says whether every word of a search is in one of the texts, in any case. */
export function matches(search: string, texts: readonly (string | undefined)[]): boolean {
  const all = texts.filter(Boolean).join('\n').toLowerCase();
  return search.toLowerCase().split(/\s+/).every((word) => all.includes(word));
}
