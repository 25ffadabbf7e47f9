import assert from 'node:assert/strict';
import { test } from 'node:test';
import { endLines, fileText, gapText, stampText, Tape, Writer } from '../../node_modules/.unit/model/tape.js';

const bytes = (text) => new TextEncoder().encode(text);
const look = (more) => ({ view: 'text', stamps: 'off', mapping: 'none', echo: false, ...more });
const noon = new Date(2026, 4, 4, 12, 0, 0, 5).getTime();
const at = (ms, kind, what) => ({ at: noon + ms, kind, bytes: bytes(what) });

/** screen is what a terminal was told, with the colours taken out. */
function screen(writer, ...pieces) {
  const parts = pieces.flatMap((p) => writer.write(p));
  return parts.map((p) => (typeof p === 'string' ? p : new TextDecoder().decode(p))).join('').replace(/\x1b\[[\d;]*m/g, '');
}

test('text goes through as it comes, and ends of lines are mapped when asked', () => {
  assert.equal(screen(new Writer(look()), at(0, 'in', 'a\rb\nc\x1b[2J')), 'a\rb\nc\x1b[2J');
  assert.equal(screen(new Writer(look({ mapping: 'cr-crlf' })), at(0, 'in', 'a\rb\r')), 'a\r\nb\r\n');
  assert.equal(screen(new Writer(look({ mapping: 'lf-crlf' })), at(0, 'in', 'a\nb\r\n')), 'a\r\nb\r\r\n');
});

test('what is sent is shown with local echo only, and an end of two bytes is one end', () => {
  assert.equal(screen(new Writer(look()), at(0, 'out', 'x\r\n')), '');
  assert.equal(screen(new Writer(look({ echo: true })), at(0, 'out', 'x\r\n'), at(1, 'out', 'y\r')), 'x\r\ny\r\n');
});

test('times stand in front of each line, also of one that comes in parts', () => {
  const w = new Writer(look({ stamps: 'line' }));
  assert.equal(screen(w, at(0, 'in', 'on'), at(10, 'in', 'e\r\ntwo\r\n')), '12:00:00.005 one\r\n12:00:00.015 two\r\n');
});

test('times of bursts stand after a silence, and when the direction changes', () => {
  const w = new Writer(look({ stamps: 'burst', echo: true }));
  const got = screen(w, at(0, 'in', 'ab'), at(20, 'in', 'cd'), at(200, 'in', 'ef'), at(210, 'out', 'g'));
  assert.equal(got, '12:00:00.005 abcd\r\n12:00:00.205 ef\r\n12:00:00.215 g');
});

test('a row of hex stands on one line of the terminal, however narrow that is', () => {
  const plain = (text) => text.replace(/\x1b\[[0-9;]*m/g, '');
  const longest = (text) => Math.max(...plain(text).split(/[\r\n]+/).map((l) => l.length));
  for (const [columns, of, bytes] of [[80, {}, 16], [49, {}, 16], [48, {}, 8], [36, {}, 8], [36, { view: 'both' }, 8], [34, { view: 'both' }, 4], [36, { view: 'both', stamps: 'line' }, 4], [2, {}, 1]]) {
    const text = screen(new Writer(look({ view: 'hex', ...of }), columns), ...Array.from('sixteen and more bytes', (c) => at(0, 'in', c)));
    const rows = plain(text).split('\r\n').map((row) => row.split('\r').at(-1));
    assert.equal(rows[0].match(/ [0-9a-f]{2}(?= |$)/g).length, bytes, `${columns} columns`);
    if (columns > 2) assert.ok(longest(text) <= columns, `${columns} columns: ${longest(text)}`);
  }
});

test('hex is written in rows of 16 that small parts fill', () => {
  const w = new Writer(look({ view: 'hex' }));
  screen(w, at(0, 'in', 'ab'));
  assert.equal(screen(w, at(500, 'in', 'c')), '\r< 61 62 63');
  assert.equal(screen(w, at(501, 'out', 'z')), '\r\n\r> 7a');
  assert.equal(screen(w, at(502, 'out', '0123456789abcdefgh')), `\r> 7a ${[...'0123456789abcde'].map((c) => c.charCodeAt(0).toString(16)).join(' ')}\r\n\r> 66 67 68`);
  assert.match(screen(new Writer(look({ view: 'both' })), at(0, 'in', 'a\x00')), /^\r< 61 00 {44}a·$/);
  const stamped = new Writer(look({ view: 'hex', stamps: 'line' }));
  assert.equal(screen(stamped, at(0, 'in', 'a'), at(200, 'in', 'b')), '\r12:00:00.005 < 61\r\n\r12:00:00.205 < 62');
});

test('a gap is said where it is, on a line of its own', () => {
  assert.equal(gapText(1204), '1,204 bytes not shown here');
  assert.equal(gapText(1), '1 byte not shown here');
  const w = new Writer(look());
  assert.equal(screen(w, at(0, 'in', 'half a li'), { at: noon, kind: 'gap', lost: 1204 }, at(1, 'in', 'ne\r\n')), 'half a li\r\n── 1,204 bytes not shown here ──\r\nne\r\n');
  assert.equal(screen(w, { at: noon, kind: 'gap', lost: 2 }), '── 2 bytes not shown here ──\r\n');
});

test('a tape forgets its oldest pieces and counts their bytes', () => {
  const tape = new Tape(1000);
  for (let i = 0; i < 30; i++) tape.push(at(i, 'in', '0123456789'.repeat(5)));
  assert.ok(tape.pieces.length < 15 && tape.pieces.length > 5);
  assert.equal(tape.forgotten, (30 - tape.pieces.length) * 50);
  assert.equal(tape.tail(100).length, 2);
  assert.equal(tape.tail(1e6).length, tape.pieces.length);
  tape.push(at(31, 'in', 'x'.repeat(5000)));
  assert.equal(tape.pieces.length, 1, 'the newest piece stays, however large');
});

test('ends of lines are sent as chosen', () => {
  assert.equal(endLines('a\r', 'crlf'), 'a\r\n');
  assert.equal(endLines('a\nb\r\nc\r', 'cr'), 'a\rb\rc\r');
  assert.equal(endLines('a\r\nb', 'lf'), 'a\nb');
});

test('a log file has a line for each piece, with its direction', () => {
  const text = fileText([at(0, 'in', 'ok\r\n'), at(1, 'out', '\\\t\x01'), { at: noon, kind: 'gap', lost: 7 }, { at: noon, kind: 'note', text: 'taken' }]);
  assert.match(text, /< ok\\r\\n\n.*> \\\\\\t\\x01\n.*-- 7 bytes not shown here\n.*-- taken\n$/);
  assert.match(stampText(noon), /^12:00:00\.005$/);
});
