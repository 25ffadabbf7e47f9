// Two controllers built with the npm package aes70, one over TLS and one over WebSocket, at one device that patchbay serves: what they see,
// set, hear of each other, and are refused, a line of JSON for each. Arguments: HOST PORT CERTIFICATE-FILE, all of TLS, and URL.
'use strict';
const fs = require('node:fs');
const tls = require('node:tls');
const { RemoteDevice } = require('aes70/lib/Controller.js');
const { TCPConnection } = require('aes70/lib/controller/TCP.js');
const { WebSocketConnection } = require('aes70/lib/controller/WebSocket.js');
const { OcaMuteState } = require('aes70/lib/Types.js');

const say = (what) => console.log(JSON.stringify(what));
const [, , host, port, ca, url] = process.argv;

const status = async (f) => {
  try {
    await f();
    return 'done';
  } catch (e) {
    return String(e.status ? e.status.value : e);
  }
};

// The package has no connection over TLS, and takes any socket for one over TCP.
const overTLS = () => new Promise((resolve, reject) => {
  const socket = tls.connect({ host, port: parseInt(port, 10), ca: fs.readFileSync(ca) });
  socket.once('error', reject);
  socket.once('secureConnect', () => resolve(new TCPConnection(socket, {})));
});

async function main() {
  const a = await overTLS();
  const b = await WebSocketConnection.connect({ url });
  const desk = new RemoteDevice(a);
  const tablet = new RemoteDevice(b);
  const ofDesk = await desk.get_role_map();
  const ofTablet = await tablet.get_role_map();
  const at = (map, path) => {
    const o = map.get(path);
    if (!o) throw new Error(path + ' is not among the ' + map.size + ' roles');
    return o;
  };
  say({ same: [...ofDesk.keys()].join() === [...ofTablet.keys()].join(), paths: [...ofDesk.keys()] });
  say({ model: (await desk.DeviceManager.GetModelDescription()).Name, serial: (await desk.DeviceManager.GetSerialNumber()).length > 0 });

  const gain = at(ofDesk, 'mixer/mixes/a/inputs/3/gain');
  const theirs = at(ofTablet, 'mixer/mixes/a/inputs/3/gain');
  const before = await gain.GetGain();
  const heard = new Promise((resolve) => gain.OnGainChanged.subscribe((v) => resolve(v)));
  await gain.GetRole(); // the subscription is on its way; what follows comes after it
  await theirs.SetGain(-12.34);
  say({ range: [before.item(1), before.item(2)], set: (await theirs.GetGain()).item(0).toFixed(2), heard: (await heard).toFixed(2), label: await gain.GetLabel() });

  const mute = at(ofTablet, 'monitoring/mute');
  await mute.SetState(OcaMuteState.Muted);
  const mode = at(ofTablet, 'inputs/analogue-1/mode');
  await mode.SetPosition(1);
  say({ mute: (await at(ofDesk, 'monitoring/mute').GetState()).value, modes: await mode.GetPositionNames(), mode: (await at(ofDesk, 'inputs/analogue-1/mode').GetPosition()).item(0) });

  say({
    refused: [
      await status(() => gain.SetGain(40)), // out of range
      await status(() => at(ofDesk, 'monitoring/level').SetGain(-20)), // read-only: the knob has it
      await status(() => at(ofDesk, 'clock/sample-rate').SetPosition(0)), // a hazard, which a wildcard does not name
      await status(() => at(ofDesk, 'inputs/analogue-1/air').SetSetting(true)), // not in allow
    ],
  });

  const meters = [];
  await new Promise((resolve) => at(ofDesk, 'inputs/analogue-1/meter').OnReadingChanged.subscribe((v) => meters.push(v) === 5 && resolve()));
  say({ meters: meters.length, done: true });
  a.close();
  b.close();
  process.exit(0);
}

main().catch((e) => {
  say({ error: String(e && e.stack || e) });
  process.exit(1);
});
