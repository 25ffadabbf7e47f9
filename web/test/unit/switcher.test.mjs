import assert from 'node:assert/strict';
import { test } from 'node:test';
import { framesPerSecond, groupOf, numberOf, rateOf, rateText, sourcesOf, tallyOf } from '../../node_modules/.unit/model/switcher.js';

test('cameras come first, then the rest by its number', () => {
  const labels = [[0, 'Black', 'BLK'], [3010, 'Media Player 1', 'MP1'], [2, 'Camera 2', ''], [1, 'Camera 1', 'CAM1'], [1000, 'Bars']];
  const all = labels.map(([value, text, short]) => ({ value, key: String(value), text, short }));
  const got = sourcesOf(all, (key) => key !== '1000');
  assert.deepEqual(got.map((s) => s.key), ['1', '2', '0', '3010']);
  assert.deepEqual(got.map((s) => s.short), ['CAM1', 'Camera 2', 'BLK', 'MP1']);
});

test('a rate is written and read in seconds and frames of the video mode', () => {
  assert.equal(framesPerSecond('1080i50'), 25);
  assert.equal(framesPerSecond('1080i59.94'), 30);
  assert.equal(framesPerSecond('1080p23.98'), 24);
  assert.equal(framesPerSecond('2160p59.94'), 60);
  assert.equal(framesPerSecond('720p50'), 50);
  assert.equal(framesPerSecond('525i59.94 NTSC'), 30);
  assert.equal(framesPerSecond('PAL'), 0);
  assert.equal(rateText(37, 25), '1:12');
  assert.equal(rateText(5, 25), '0:05');
  assert.equal(rateText(37, 0), '37 f');
  assert.equal(rateText(NaN, 25), '–');
  assert.deepEqual(rateOf('1:12', 25, 1, 250), { value: 37 });
  assert.deepEqual(rateOf(' 37 ', 25, 1, 250), { value: 37 });
  assert.match(rateOf('1:25', 25, 1, 250).wrong, /A second has 25 frames/);
  assert.match(rateOf('20:00', 25, 1, 250).wrong, /Out of range.*0:01 to 10:00/);
  assert.match(rateOf('0', 25, 1, 250).wrong, /Out of range/);
  assert.match(rateOf('quick', 25, 1, 250).wrong, /Wanted: seconds:frames/);
  assert.match(rateOf('1:12', 0, 1, 250).wrong, /Wanted: a number of frames/);
});

test('tally says on air and chosen, one by one', () => {
  assert.deepEqual(tallyOf('off'), { program: false, preview: false });
  assert.deepEqual(tallyOf('program'), { program: true, preview: false });
  assert.deepEqual(tallyOf('Preview'), { program: false, preview: true });
  assert.deepEqual(tallyOf('both'), { program: true, preview: true });
  assert.deepEqual(tallyOf(null), { program: false, preview: false });
});

test('points belong to the innermost numbered container', () => {
  assert.equal(groupOf('me/1/transition/rate'), 'me/1');
  assert.equal(groupOf('me/1/keyers/2/on-air'), 'me/1/keyers/2');
  assert.equal(groupOf('inputs/3010/tally'), 'inputs/3010');
  assert.equal(groupOf('video-mode'), '');
  assert.equal(numberOf('me/1/keyers/2'), '2');
});
