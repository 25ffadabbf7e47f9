import assert from 'node:assert/strict';
import { test } from 'node:test';
import { commandFits, hostIn, plainCause, sentence, waitingFor } from '../../node_modules/.unit/model/pairing.js';

test('what a device waits for, by the code of its condition', () => {
  assert.equal(waitingFor('waiting-for-approval', 'Focusrite Control', 'STUDIO-PC'), 'Waiting for approval in Focusrite Control on STUDIO-PC');
  assert.equal(waitingFor('waiting-for-code', 'X', ''), 'Waiting for the code that X shows');
  assert.equal(waitingFor('not-paired', '', ''), 'Not paired with the device');
  assert.equal(waitingFor('device-unplugged', 'X', 'y'), 'Device unplugged');
});

test('the computer in an address', () => {
  const rows = [['fcxml://STUDIO-PC', 'STUDIO-PC'], ['fc2://192.0.2.50:58322/?a=b', '192.0.2.50'], ['fc2://me@box:1', 'box'], ['fc2://[2001:db8::1]:5', '[2001:db8::1]'],
    ['sim+fc2:?inputs=2', ''], ['sim+fc2://x', ''], ['', ''], ['serial:///dev/ttyS0', '']];
  for (const [url, host] of rows) assert.equal(hostIn(url), host, url);
});

test('a command of pairing is offered when it leads on', () => {
  const fitting = (code) => ['pairing/request', 'pairing/code', 'pairing/forget'].filter((path) => commandFits(path, code));
  assert.deepEqual(fitting('not-paired'), ['pairing/request', 'pairing/forget']);
  assert.deepEqual(fitting('waiting-for-approval'), ['pairing/forget']);
  assert.deepEqual(fitting('waiting-for-code'), ['pairing/code', 'pairing/forget']);
  assert.deepEqual(fitting('brand-new'), ['pairing/request', 'pairing/code', 'pairing/forget']);
});

test('what went wrong is told without where in the program', () => {
  assert.equal(plainCause('fc2 onboarding 127.0.0.1:58323: request: the person there has not approved'), 'the person there has not approved');
  assert.equal(plainCause('fc2 onboarding [::1]:58323: it is busy'), 'it is busy');
  assert.equal(plainCause('pair 127.0.0.1:5: fc2 onboarding 127.0.0.1:5: code: the code was not accepted'), 'the code was not accepted');
  assert.equal(plainCause('it is busy: wait'), 'it is busy: wait');
  assert.equal(sentence(' values are shown '), 'Values are shown.');
  assert.equal(sentence('Why?'), 'Why?');
  assert.equal(sentence(''), '');
});
