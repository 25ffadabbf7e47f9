/** What went over a serial line, kept as bytes, and its ways of being written on a screen. All pure. */

export type Piece =
  | { at: number; kind: 'in' | 'out'; bytes: Uint8Array }
  | { at: number; kind: 'gap'; lost: number }
  | { at: number; kind: 'note'; text: string };

/** Tape keeps the newest pieces, up to a number of bytes. */
export class Tape {
  pieces: Piece[] = [];
  forgotten = 0; // bytes that had to make room
  private size = 0;
  readonly limit: number;

  constructor(limit = 4 << 20) {
    this.limit = limit;
  }

  push(piece: Piece): void {
    this.pieces.push(piece);
    this.size += weight(piece);
    let drop = 0;
    while (this.size > this.limit && drop < this.pieces.length - 1) {
      const oldest = this.pieces[drop++]!;
      this.size -= weight(oldest);
      if ('bytes' in oldest) this.forgotten += oldest.bytes.length;
    }
    if (drop > 0) this.pieces.splice(0, drop);
  }

  clear(): void {
    this.pieces = [];
    this.size = 0;
    this.forgotten = 0;
  }

  /** all is everything in its order; a gap stands first for what had to make room. */
  all(): Piece[] {
    return this.forgotten > 0 ? [{ at: this.pieces[0]?.at ?? 0, kind: 'gap', lost: this.forgotten }, ...this.pieces] : this.pieces;
  }

  /** tail is the newest pieces of at most so many bytes. */
  tail(bytes: number): Piece[] {
    let from = this.pieces.length;
    for (let left = bytes; from > 0 && left > 0; from--) left -= weight(this.pieces[from - 1]!);
    return this.pieces.slice(from);
  }
}

const weight = (p: Piece): number => ('bytes' in p ? p.bytes.length : 0) + 32;

export type View = 'text' | 'hex' | 'both';
export type Stamps = 'off' | 'line' | 'burst';
export type Ending = 'cr' | 'lf' | 'crlf';
export type Mapping = 'none' | 'cr-crlf' | 'lf-crlf';

export interface Look {
  view: View;
  stamps: Stamps;
  mapping: Mapping; // of what is received
  echo: boolean; // what is sent is shown in text as well
}

const pause = 50; // ms of silence that end a burst

/** stampText is a time of day to the millisecond. */
export function stampText(at: number): string {
  const d = new Date(at);
  const two = (n: number) => String(n).padStart(2, '0');
  return `${two(d.getHours())}:${two(d.getMinutes())}:${two(d.getSeconds())}.${String(d.getMilliseconds()).padStart(3, '0')}`;
}

/** gapText is what stands for bytes that this page did not get. */
export const gapText = (lost: number): string => `${lost.toLocaleString('en')} ${lost === 1 ? 'byte' : 'bytes'} not shown here`;

const dim = '\x1b[2m';
const plain = '\x1b[0m';
const mine = '\x1b[34m';
const loud = '\x1b[35;1m';

interface HexRow {
  kind: 'in' | 'out';
  bytes: number[];
  stamp: string;
}

/**
 * Writer turns pieces into what a terminal is told, one after another. Text keeps the escape sequences of the device; what
 * the page adds stands between them.
 */
export class Writer {
  private fresh = true; // at the start of a line
  private last = 0; // when the newest piece came
  private direction = '';
  private row: HexRow | null = null; // the last row of hex
  private readonly look: Look;
  private readonly full: number; // bytes of a row of hex

  /** columns is how wide the terminal is: a row of hex that is gone on with has to stand on one line. */
  constructor(look: Look, columns = 80) {
    this.look = look;
    const width = (n: number) => (look.stamps === 'off' ? 0 : 13) + 1 + 3 * n + (look.view === 'both' ? 2 + n : 0);
    this.full = [16, 8, 4, 2].find((n) => width(n) <= columns) ?? 1;
  }

  write(piece: Piece): (string | Uint8Array)[] {
    if (piece.kind === 'gap') return [this.aside(gapText(piece.lost))];
    if (piece.kind === 'note') return [this.aside(piece.text)];
    if (this.look.view !== 'text') return [this.rows(piece)];
    if (piece.kind === 'out' && !this.look.echo) return [];
    return this.text(piece);
  }

  /** aside is a line of the page's own. */
  private aside(text: string): string {
    const before = this.fresh ? '' : '\r\n';
    this.fresh = true;
    this.direction = '';
    this.row = null;
    return `${plain}${before}${loud}── ${text} ──${plain}\r\n`;
  }

  /** rows writes bytes in rows of 16, or of fewer where that is too wide, each of one direction; a row that is not full is gone on with where that is the same. */
  private rows(piece: { at: number; kind: 'in' | 'out'; bytes: Uint8Array }): string {
    let out = '';
    let row = this.row;
    const late = this.look.stamps !== 'off' && piece.at - this.last > pause;
    if (row && (row.kind !== piece.kind || late)) row = null;
    let from = 0;
    while (from < piece.bytes.length) {
      if (!row || row.bytes.length === this.full) {
        if (!this.fresh) out += '\r\n';
        this.fresh = false;
        // Rows of one burst share its time.
        row = { kind: piece.kind, bytes: [], stamp: row && this.look.stamps === 'burst' ? ' '.repeat(12) : stampText(piece.at) };
      }
      const part = piece.bytes.subarray(from, from + this.full - row.bytes.length);
      row.bytes.push(...part);
      from += part.length;
      out += `\r${this.rowText(row)}`;
    }
    this.row = row;
    this.last = piece.at;
    return out;
  }

  private rowText({ kind, bytes, stamp }: HexRow): string {
    const hex = bytes.map((b) => b.toString(16).padStart(2, '0')).join(' ');
    const text = bytes.map((b) => (b >= 32 && b < 127 ? String.fromCharCode(b) : '·')).join('');
    const time = this.look.stamps === 'off' ? '' : `${dim}${stamp}${plain} `;
    const both = this.look.view === 'both' ? `  ${text}` : '';
    return `${time}${kind === 'out' ? `${mine}>` : '<'} ${both ? hex.padEnd(3 * this.full - 1) : hex}${both}${plain}`;
  }

  private text(piece: { at: number; kind: 'in' | 'out'; bytes: Uint8Array }): (string | Uint8Array)[] {
    const out: (string | Uint8Array)[] = [];
    const stamp = () => out.push(`${dim}${stampText(piece.at)}${plain} ${piece.kind === 'out' ? mine : ''}`);
    const burst = piece.at - this.last > pause || this.direction !== piece.kind;
    if (this.look.stamps === 'burst' && burst && this.last > 0 && !this.fresh) {
      out.push('\r\n');
      this.fresh = true;
    }
    if (piece.kind === 'out') out.push(mine);
    if (this.look.stamps === 'burst' && burst) {
      stamp();
      this.fresh = false;
    }
    this.last = piece.at;
    this.direction = piece.kind;

    let from = 0;
    const flush = (to: number) => {
      if (to > from) out.push(piece.bytes.subarray(from, to));
    };
    for (let i = 0; i < piece.bytes.length; i++) {
      const b = piece.bytes[i]!;
      if (this.fresh && this.look.stamps === 'line' && b !== 10 && b !== 13) {
        flush(i);
        from = i;
        stamp();
      }
      if (b !== 10 && b !== 13) {
        this.fresh = false;
        continue;
      }
      const mapped = (b === 13 && this.look.mapping === 'cr-crlf') || (b === 10 && this.look.mapping === 'lf-crlf') || piece.kind === 'out';
      if (mapped) {
        flush(i);
        from = i + 1;
        // An end of two bytes that was sent is one end.
        if (!(piece.kind === 'out' && b === 10 && piece.bytes[i - 1] === 13)) out.push('\r\n');
      }
      this.fresh = true;
    }
    flush(piece.bytes.length);
    if (piece.kind === 'out') out.push(plain);
    return out;
  }
}

/** endLines puts the chosen end behind each line of what is sent: Enter is a carriage return, text from elsewhere has line feeds. */
export function endLines(text: string, ending: Ending): string {
  const end = { cr: '\r', lf: '\n', crlf: '\r\n' }[ending];
  return text.replace(/\r\n|\r|\n/g, end);
}

/** fileText is the tape as lines of a log file, in the order of time, with directions. */
export function fileText(pieces: readonly Piece[]): string {
  const lines = pieces.map((p) => {
    const at = new Date(p.at).toISOString();
    if (p.kind === 'gap') return `${at} -- ${gapText(p.lost)}`;
    if (p.kind === 'note') return `${at} -- ${p.text}`;
    const text = [...p.bytes].map((b) => (b === 92 ? '\\\\' : b >= 32 && b < 127 ? String.fromCharCode(b) : b === 13 ? '\\r' : b === 10 ? '\\n' : b === 9 ? '\\t' : `\\x${b.toString(16).padStart(2, '0')}`)).join('');
    return `${at} ${p.kind === 'in' ? '<' : '>'} ${text}`;
  });
  return lines.map((l) => `${l}\n`).join('');
}
