// A controller built with the npm package aes70: it enumerates a device, subscribes, sets, and tells what it sees, a line of
// JSON for each. Arguments: tcp HOST PORT, or ws URL.
'use strict';
const { RemoteDevice } = require('aes70/lib/Controller.js');
const { TCPConnection } = require('aes70/lib/controller/TCP.js');
const { OcaMuteState, OcaObjectSearchResultFlags, OcaStringComparisonType } = require('aes70/lib/Types.js');
const { WebSocketConnection } = require('aes70/lib/controller/WebSocket.js');

// The published version calls a function of its own that it does not bring along, and so cannot encode a string.
require('aes70/lib/utf8.js').count_codepoints = (s) => [...s].length;

const say = (what) => console.log(JSON.stringify(what));

const [, , kind, where, port] = process.argv;

async function walk(list, prefix, found) {
  let path = prefix;
  for (const o of list) {
    if (Array.isArray(o)) {
      await walk(o, path, found);
      continue;
    }
    path = prefix.concat([await o.GetRole()]);
    found[path.join('/')] = o;
  }
}

async function main() {
  const connection = kind === 'tcp'
    ? await TCPConnection.connect({ host: where, port: parseInt(port, 10) })
    : await WebSocketConnection.connect({ url: where });
  const device = new RemoteDevice(connection);
  connection.set_keepalive_interval(1);
  const found = {};
  await walk(await device.GetDeviceTree(), [], found);
  const model = await device.DeviceManager.GetModelDescription();
  say({ tree: Object.keys(found), model: model.Name });

  const gain = found['Inputs/Analogue 1/Gain'];
  const mode = found['Inputs/Analogue 1/Air Mode'];
  const name = found['Inputs/Analogue 1/Name'];
  const mute = found['Monitoring/Mute'];
  const dim = found['Monitoring/Dim'];
  const told = (o, event) => new Promise((resolve) => o[event].subscribe((value) => resolve(value)));

  const before = await gain.GetGain();
  const heard = told(gain, 'OnGainChanged');
  await gain.GetRole(); // the subscription is on its way; what follows comes after it
  await gain.SetGain(33.5);
  say({ gain: [before.item(0), before.item(1), before.item(2)], set: (await gain.GetGain()).item(0), heard: await heard });

  await mode.SetPosition(1);
  await mute.SetState(OcaMuteState.Muted);
  say({ names: await mode.GetPositionNames(), position: (await mode.GetPosition()).item(0), name: await name.GetSetting(), mute: (await mute.GetState()).value });

  await name.SetSetting('Grüße 🎛');
  const every = new OcaObjectSearchResultFlags(31); // a class is not searched for: the package reserves too little room for one
  const searched = [
    await device.Root.FindObjectsByPath(['Inputs', 'Analogue 1', 'Gain'], every),
    await device.Root.FindObjectsByRoleRecursive('air mode', OcaStringComparisonType.ExactCaseInsensitive, '', every),
    await device.Root.FindObjectsByRole('In', OcaStringComparisonType.Substring, '', every),
  ].map((list) => list.map((r) => r.Role + ' ' + r.ContainerPath.length));
  say({ searched, renamed: await name.GetSetting(), members: (await device.Root.GetMembersRecursive()).length === Object.keys(found).length });

  const refused = [];
  for (const attempt of [() => gain.SetGain(99), () => gain.SetEnabled(false)]) {
    try {
      await attempt();
      refused.push('done');
    } catch (e) {
      refused.push(String(e.status ? e.status.value : e));
    }
  }
  say({ refused });

  const dimmed = told(dim, 'OnSettingChanged');
  await dim.GetRole(); // what the device does from now on comes after the subscription
  const meters = [];
  await new Promise((resolve) => {
    found['Inputs/Analogue 1/Meter'].OnReadingChanged.subscribe((v) => {
      if (meters.push(v) === 5) resolve();
    });
    say({ ready: true });
  });
  say({ dimmed: await dimmed, meters: meters.length });
  setTimeout(() => {
    connection.close();
    say({ done: true });
    process.exit(0);
  }, 2500); // keep-alives go both ways
}

main().catch((e) => {
  say({ error: String(e && e.stack || e) });
  process.exit(1);
});
