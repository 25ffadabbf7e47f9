import assert from 'node:assert/strict';
import { test } from 'node:test';
import { codeIn, LevelScale, levelOf, levelText, meterPlace, Needle, pairsOf, panText, rangeOf } from '../../node_modules/.unit/model/audio.js';

const mix = rangeOf({ min: -128, max: 6, attributes: { silence: '-128' } });
const gain = rangeOf({ min: 0, max: 56 });

test('silence is minus infinity, and never a number', () => {
  assert.equal(levelText(levelOf(-128, '-128', mix)), '−∞');
  assert.equal(levelText(levelOf(null, '-Inf', gain)), '−∞');
  assert.equal(levelText(levelOf(null, '', gain)), '–');
  assert.equal(levelText(levelOf(-127.9, '', mix)), '−127.9');
  assert.equal(levelText(levelOf(-128, '', rangeOf({ min: -128, max: 0 }))), '−∞', 'the end of such a range');
  assert.equal(levelText(levelOf(-128, '', rangeOf({}))), '−∞', 'a meter without a range');
  assert.equal(levelText(levelOf(-60, '', rangeOf({ min: -60, max: 0 }))), '−60.0');
  assert.equal(levelText(-24), '−24.0');
  assert.equal(levelText(-0.04), '0.0');
});

test('a fader with silence has it as a real stop, and comes back to where it was', () => {
  const s = new LevelScale(mix);
  assert.equal(s.place(-128), 0);
  assert.equal(s.place(-Infinity), 0);
  assert.equal(s.value(0), -128);
  assert.equal(s.value(1), 6);
  assert.equal(s.place(6), 1);
  for (const level of [-90, -60, -41.5, -20, -6, 0, 3, 6]) assert.ok(Math.abs(s.value(s.place(level)) - level) < 0.11, String(level));
  for (let p = 0.03, before = -Infinity; p <= 1; p += 0.01) {
    assert.ok(s.value(p) >= before);
    before = s.value(p);
  }
});

test('a fader to 0 dB, and a gain without silence, use their whole way', () => {
  const out = new LevelScale(rangeOf({ min: -128, max: 0, attributes: { silence: '-128' } }));
  assert.equal(out.place(0), 1);
  assert.ok(out.place(-10) < 1 && out.place(-10) > 0.6);
  const g = new LevelScale(gain);
  assert.equal(g.place(0), 0);
  assert.equal(g.place(28), 0.5);
  assert.equal(g.value(0), 0);
  assert.equal(g.value(0.5), 28);
});

test('a meter rises at once, falls 20 dB a second, and keeps peak and clip until it is touched', () => {
  const n = new Needle();
  n.hear(-10);
  assert.equal(n.shown, -10);
  n.step(0.5, -40);
  assert.equal(n.shown, -20);
  n.step(5, -40);
  assert.equal(n.shown, -40);
  assert.equal(n.peak, -10);
  assert.equal(n.clipped, false);
  n.hear(0);
  n.hear(-30);
  assert.equal(n.clipped, true);
  n.reset();
  assert.equal(n.clipped, false);
  assert.equal(n.peak, -Infinity);
  n.step(100, -Infinity);
  assert.equal(n.shown, -Infinity);
  assert.equal(meterPlace(-Infinity), 0);
  assert.equal(meterPlace(-30), 0.5);
  assert.equal(meterPlace(3), 1);
});

test('pan and codes in words', () => {
  assert.equal(panText(0, 1), 'C');
  assert.equal(panText(-0.4, 1), 'L 40');
  assert.equal(panText(100, 100), 'R 100');
  assert.equal(codeIn('compare the code 123 456 on the screen'), '123 456');
  assert.equal(codeIn('code: 4F:09:AA'), '4F:09:AA');
  assert.equal(codeIn('press Approve beside "patchbay on STUDIO-PC"'), '');
});

test('linked channels share a row', () => {
  const rows = (...linked) => pairsOf(['1', '2', '3', '4', '5'], (at) => linked.includes(at)).map((r) => r.join('+'));
  assert.deepEqual(rows(), ['1', '2', '3', '4', '5']);
  assert.deepEqual(rows('1', '3'), ['1+2', '3+4', '5']);
  assert.deepEqual(rows('1', '2'), ['1+2', '3', '4', '5'], 'what the right one says does not count');
  assert.deepEqual(rows('5'), ['1', '2', '3', '4', '5'], 'the last has nobody beside it');
});
