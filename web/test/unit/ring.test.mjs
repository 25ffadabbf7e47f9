import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Ring } from '../../node_modules/.unit/store/ring.js';

test('a ring keeps the newest samples in order', () => {
  const ring = new Ring(100, 0);
  for (let i = 0; i < 250; i++) ring.push(i, i * 2);
  const [times, values] = ring.since(0);
  assert.equal(times.length, 100);
  assert.deepEqual([times[0], times[99], values[0], values[99]], [150, 249, 300, 498]);
});

test('the sample in force leads, moved to the start of what is asked', () => {
  const ring = new Ring(10, 0);
  for (const [t, v] of [[1, 10], [5, 20], [9, 30]]) ring.push(t, v);
  assert.deepEqual(ring.since(6), [[6, 9], [20, 30]]);
  assert.deepEqual(ring.since(0), [[1, 5, 9], [10, 20, 30]]);
});

test('close samples replace each other, so that minutes fit', () => {
  const ring = new Ring(10, 0.2);
  for (let i = 0; i <= 100; i++) ring.push(i / 100, i);
  assert.ok(ring.length <= 7, String(ring.length));
  assert.equal(ring.since(0)[1].at(-1), 100);
});

test('a gap is kept, and time never runs backwards', () => {
  const ring = new Ring(10, 0.2);
  ring.push(1, 1);
  ring.push(1.01, NaN);
  ring.push(0.5, 2);
  assert.deepEqual(ring.since(0), [[1, 1.01, 1.01], [1, null, 2]]);
});
