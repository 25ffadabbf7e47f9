import assert from 'node:assert/strict';
import { test } from 'node:test';
import { alarmOf, loadTone, plainState } from '../../node_modules/.unit/model/cnc.js';
import { clockText, elapsed, hexWords, middle, span } from '../../node_modules/.unit/model/format.js';
import { linkWords } from '../../node_modules/.unit/model/link.js';
import { clientsOf, isOfClients } from '../../node_modules/.unit/model/clients.js';
import { commandLines, prometheusLine, quote, readLines, writeLines } from '../../node_modules/.unit/model/lines.js';
import { rangeWords, typed } from '../../node_modules/.unit/model/entry.js';
import { outcomeOf, passes, whoName } from '../../node_modules/.unit/model/log.js';
import { byAxis, byModal, byPath, containerOf, matches, placeOf } from '../../node_modules/.unit/model/tree.js';

test('a place is told from the largest to the smallest', () => {
  assert.equal(placeOf({ area: 'hall-3', cell: 'cell-7', line: 'milling', site: 'works-2' }), 'works-2 / hall-3 / milling / cell-7');
  assert.equal(placeOf({ note: 'n', cell: 'c', site: '' }), 'c / n');
  assert.equal(placeOf({}), '');
});

test('the clock of the control reads as date and time', () => {
  assert.equal(clockText('2026-11-21T03:46:17'), '2026-11-21 03:46:17');
  assert.equal(clockText('TUE 03:46'), 'TUE 03:46');
  assert.equal(clockText(null), '');
});

test('the gravest fact gives the plain word', () => {
  const calm = { link: true, execution: 'READY', mode: 'AUTOMATIC', emergency: 'ARMED', alarms: 0 };
  const rows = [
    [{}, 'Idle'],
    [{ execution: 'ACTIVE' }, 'Running'],
    [{ execution: 'active' }, 'Running'],
    [{ execution: 'INTERRUPTED' }, 'Held'],
    [{ execution: 'feed-hold' }, 'Held'],
    [{ mode: 'MANUAL' }, 'Manual'],
    [{ mode: 'MANUAL', execution: 'ACTIVE' }, 'Running'],
    [{ mode: 'MANUAL_DATA_INPUT' }, 'Idle'],
    [{ execution: 'ACTIVE', alarms: 1 }, 'Alarm'],
    [{ emergency: 'TRIGGERED', alarms: 2 }, 'Emergency stop'],
    [{ link: false, emergency: 'TRIGGERED', alarms: 2, execution: 'ACTIVE' }, 'No link'],
    [{ execution: '', mode: '' }, 'Idle'],
  ];
  for (const [more, word] of rows) assert.equal(plainState({ ...calm, ...more }).word, word, JSON.stringify(more));
});

test('load bars turn amber and red at their limits, in both directions', () => {
  assert.deepEqual([79.9, 80, 99, 100, -100].map((v) => loadTone(v, 80, 100)), ['off', 'amber', 'amber', 'red', 'red']);
});

test('alarms read as on the control', () => {
  const rows = [
    [{ line: 'SV0401 (X) V-READY OFF', code: 'other' }, 'SV0401 (X) V-READY OFF'],
    [{ code: 'SV0401', axis: 'X', text: 'V-READY OFF' }, 'SV0401 (X) V-READY OFF'],
    [{ code: 'EX1005', axis: '', text: 'LUB LOW' }, 'EX1005 LUB LOW'],
    [{ code: 'PS0010', axis: null, text: 'PS0010 IMPROPER G-CODE' }, 'PS0010 IMPROPER G-CODE'],
    [{ number: 2001, text: 'CLOSE DOOR' }, '2001 CLOSE DOOR'],
    [{}, ''],
  ];
  for (const [row, line] of rows) assert.equal(alarmOf(row).line, line);
  assert.equal(alarmOf({ 'first-seen': 't' }).since, 't');
});

test('spans use the two coarsest units', () => {
  const rows = [[-5, '0 s'], [4400, '4 s'], [59_400, '59 s'], [61_000, '1 min'], [3_600_000, '1 h'], [3_900_000, '1 h 05 min'], [90_000_000, '1 d 1 h']];
  for (const [ms, text] of rows) assert.equal(span(ms), text);
});

test('time counters read h:mm:ss whatever their unit', () => {
  assert.equal(elapsed(3661, 's'), '1:01:01');
  assert.equal(elapsed(61.5, 'min'), '1:01:30');
  assert.equal(elapsed(59_999, 'ms'), '0:00:59');
  assert.equal(elapsed(5, 'mm'), '');
  assert.equal(elapsed(NaN, 's'), '');
});

test('bytes are set apart', () => {
  assert.equal(hexWords('a0a000'), 'a0 a0 00');
  assert.equal(hexWords('00'.repeat(30), 2), '00 00 …');
  assert.equal(hexWords(''), '');
});

test('long names are cut in the middle', () => {
  assert.equal(middle('short', 10), 'short');
  assert.equal(middle('abcdefghijkl', 7), 'abc…jkl');
  assert.equal([...middle('🛠️🛠️🛠️🛠️🛠️🛠️', 5)].length, 5);
});

test('the link in words', () => {
  const link = { state: 'up', since: 1000, error: '', errorClass: '', hint: '', nextAttempt: 0, condition: '', conditionCode: '' };
  const rows = [
    [{}, 'connected 2 h'],
    [{ state: 'connecting' }, 'connecting'],
    [{ state: 'connecting', errorClass: 'timeout' }, 'no answer, trying again'],
    [{ state: 'down', errorClass: 'timeout', nextAttempt: 7_205_000 }, 'no answer, next try 4 s'],
    [{ state: 'down', errorClass: 'refused', nextAttempt: 1 }, 'refused, trying again'],
    [{ state: 'down', errorClass: 'brand-new' }, 'brand new'],
    [{ state: 'waiting', condition: 'a long story', conditionCode: 'not-paired' }, 'waiting: not paired'],
    [{ state: 'waiting', condition: 'a long story', conditionCode: 'waiting-for-approval' }, 'waiting for approval'],
    [{ state: 'waiting', condition: 'approval' }, 'waiting: approval'],
    [{ state: 'waiting' }, 'waiting: the device wants something from a person'],
    [{ state: 'stopped', errorClass: 'unsupported' }, 'stopped: not supported'],
    [{ state: '' }, 'not known yet'],
  ];
  for (const [more, words] of rows) assert.equal(linkWords({ ...link, ...more }, 7_201_000), words);
});

test('copied lines survive a shell', () => {
  assert.equal(quote('mill1/path/1/execution'), 'mill1/path/1/execution');
  assert.equal(quote("it's; rm"), `'it'\\''s; rm'`);
  const [patchbay, curl] = readLines({ origin: 'http://127.0.0.1:8620', login: false }, 'mill1', 'macros/500');
  assert.equal(patchbay.line, 'patchbay get mill1/macros/500');
  assert.equal(curl.line, "curl 'http://127.0.0.1:8620/api/v1/devices/mill1/value?path=macros/500&format=text'");
  const [set, put] = writeLines({ origin: 'http://box:9', login: true }, 'a b', 'x', '-1 2');
  assert.equal(set.line, "patchbay set --gateway http://box:9 'a b/x' '-1 2'");
  assert.match(put.line, /-d '-1 2' 'http:\/\/box:9\/api\/v1\/devices\/a%20b\/value\?path=x'$/);
  assert.match(put.line, /-H "Authorization: Bearer \$PATCHBAY_TOKEN" /);
  const [run, post] = commandLines({ origin: 'http://127.0.0.1:8620', login: false }, 'mill1', '_clients/1/disconnect', { why: "it's old" });
  assert.equal(run.line, `patchbay do mill1/_clients/1/disconnect 'why=it'\\''s old'`);
  assert.match(post.line, /^curl --json '\{"path":"_clients\/1\/disconnect",.*' http:\/\/127.0.0.1:8620\/api\/v1\/devices\/mill1\/commands$/);
  assert.equal(prometheusLine('mill1', 'a"b').line, 'patchbay_point{device="mill1",path="a\\"b"}');
});

test('entries are checked before they are sent', () => {
  const rows = [
    ['12', { kind: 'int' }, 12],
    ['12.5', { kind: 'int' }, 'wrong'],
    [' 1,5 ', { kind: 'float' }, 1.5],
    ['-.5', { kind: 'float' }, -0.5],
    ['', { kind: 'float' }, 'wrong'],
    ['1e3', { kind: 'float' }, 'wrong'],
    ['abc', { kind: 'int' }, 'wrong'],
    ['201', { kind: 'int', min: 0, max: 200, unit: '%' }, 'wrong'],
    ['200', { kind: 'int', min: 0, max: 200, unit: '%' }, 200],
    ['−12,5 dB', { kind: 'float', unit: 'dB' }, -12.5],
    ['80%', { kind: 'int', min: 0, max: 200, unit: '%' }, 80],
    ['12 mm', { kind: 'float', unit: 'dB' }, 'wrong'],
    ['on', { kind: 'bool' }, true],
    ['maybe', { kind: 'bool' }, 'wrong'],
    ['0A ff', { kind: 'bytes' }, '0aff'],
    ['0A f', { kind: 'bytes' }, 'wrong'],
    [' text ', { kind: 'string' }, ' text '],
  ];
  for (const [text, spec, want] of rows) {
    const got = typed(text, spec);
    if (want === 'wrong') assert.match(got.wrong ?? '', /Wanted: /, text);
    else assert.equal(got.value, want, text);
  }
  assert.match(typed('300', { kind: 'int', min: 0, max: 200, unit: '%' }).wrong, /0 to 200 %/);
  assert.equal(rangeWords({ kind: 'int' }), '');
});

test('paths, axes and modal words in their order', () => {
  assert.deepEqual(['a/x10', 'a/x2', 'a', 'b'].sort(byPath), ['a', 'a/x2', 'a/x10', 'b']);
  assert.deepEqual(['c', 'z', 'x2', 'x', 'a', 'q'].sort(byAxis), ['x', 'x2', 'z', 'a', 'c', 'q']);
  assert.deepEqual(['f', 't', 's', 'g', 'm', 'b'].sort(byModal), ['g', 'm', 's', 'f', 't', 'b']);
  assert.equal(containerOf('path/1/axes/x/absolute', 'path'), 'path/1');
  assert.equal(containerOf('path/x', 'path'), '');
  assert.equal(containerOf('spindles/1/speed', 'path'), '');
});

test('a search wants every word somewhere', () => {
  assert.ok(matches('feed MM', ['path/1/feed/actual', undefined, 'mm/min']));
  assert.ok(!matches('feed in', ['path/1/feed/actual', 'mm']));
});

test('a log is narrowed by outcome and by user', () => {
  assert.deepEqual(['confirmed', 'sent', 'ok', 'refused', 'failed', 'timed-out'].map((s) => outcomeOf(s, true)), ['done', 'done', 'done', 'wrong', 'wrong', 'wrong']);
  assert.equal(outcomeOf('sent', false), 'open');
  assert.equal(whoName({ user: 'anna', addr: '192.0.2.7:50112' }), 'anna');
  assert.equal(whoName({ user: '', addr: '[2001:db8::7]:50112' }), '[2001:db8::7]');
  assert.equal(whoName(undefined), 'not known');
  assert.ok(passes({ outcome: 'wrong', user: '' }, 'open', 'anna'), 'what has not ended stays in sight');
  assert.ok(!passes({ outcome: 'wrong', user: '' }, 'done', 'anna'));
  assert.ok(!passes({ outcome: 'all', user: 'eve' }, 'done', 'anna'));
});

test('clients are told apart from their server, with common columns', () => {
  const point = (path, title) => ({ path, spec: { peek: () => ({ title }) } });
  const { own, clients, columns } = clientsOf([
    point('_clients/10/refused'), point('_clients/10/address', 'Client'), point('_clients/2/address', 'Client'),
    point('_clients/2/odd-thing'), point('_clients/saved'), point('_clients/listen'), point('path/1/execution'),
  ]);
  assert.deepEqual(own.map((e) => e.path), ['_clients/listen', '_clients/saved']);
  assert.deepEqual(clients.map((c) => c.path), ['_clients/2', '_clients/10']);
  assert.deepEqual(columns, [{ name: 'address', title: 'Client' }, { name: 'refused', title: 'refused' }, { name: 'odd-thing', title: 'odd thing' }]);
  assert.equal(clients[0].points.get('refused'), undefined);
  assert.ok(!isOfClients('_clients'));
});
