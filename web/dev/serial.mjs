// A box of serial ports for the mock: a balance that talks on port 1, a loopback on port 2, a busy and a lost one.
import { Device, labels } from './machines.mjs';

export function serialBox(name, ports) {
  return new Box(name, ports);
}

class Box extends Device {
  constructor(name, ports) {
    super({ name, driver: 'devicemaster', title: 'DeviceMaster', panel: 'serial', url: 'sim+devicemaster:', simulated: true, writable_all: true, config_key: `devices.${name}.writable` });
    this.pace = 60;
    this.readers = new Set();
    this.owners = new Map([['ports/3', 'rfc2217 192.0.2.7:50112']]);
    Object.assign(this.labels, {
      'port-state': labels('closed', 'open', 'busy', 'lost'), flow: labels('none', 'rts-cts', 'xon-xoff'), mode: labels('rs-232', 'rs-422', 'rs-485'),
    });
    const put = (hazard) => ({ access: 'rw', writable: true, hazard, writable_key: `devices.${name}.writable` });
    const states = ['open', 'closed', 'busy', 'lost'];
    for (let n = 1; n <= ports; n++) {
      const at = `ports/${n}`;
      this.add(`${at}/state`, 'enum', states[n - 1] ?? 'closed', { role: 'serial.state', labels: 'port-state' });
      this.add(`${at}/owner`, 'string', this.owners.get(at) ?? '', { role: 'serial.owner' });
      this.add(`${at}/baud`, 'int', n === 2 ? 115200 : 9600, { role: 'serial.baud', unit: 'Bd', min: 50, max: 921600, ...put('') });
      this.add(`${at}/format`, 'string', n === 4 ? '7E1' : '8N1', { role: 'serial.format', ...put('') });
      this.add(`${at}/flow`, 'enum', 'none', { role: 'serial.flow', labels: 'flow', ...put('') });
      this.add(`${at}/mode`, 'enum', 'rs-232', { role: 'serial.mode', labels: 'mode', ...put('hazard') });
      for (const [line, on] of [['rts', true], ['dtr', true]]) this.add(`${at}/${line}`, 'bool', on, { role: `serial.${line}`, ...put('live') });
      for (const [line, on] of [['cts', true], ['dsr', true], ['cd', false], ['ri', false], ['break', false]]) this.add(`${at}/${line}`, 'bool', on, { role: `serial.${line}` });
      for (const kind of ['parity', 'framing', 'overrun']) this.add(`${at}/errors/${kind}`, 'int', 0, { role: 'serial.errors' });
      for (const count of ['bytes-in', 'bytes-out', 'outstanding']) this.add(`${at}/${count}`, 'int', 0, { role: `serial.${count}`, unit: 'B' });
      for (const verb of ['flush', 'release', 'break']) this.commands.push({ path: `${at}/${verb}`, args: [], title: verb, writable: true });
    }
    this.add('model', 'string', 'DM-RTS 4', { role: 'id.model' });
    this.add('version', 'string', '11.25', { role: 'id.version' });
    this.due = 0;
    this.weight = 12.034;
  }

  tick(dt) {
    this.due -= dt;
    if (this.due > 0) return;
    this.due = 0.8;
    this.weight += (Math.random() - 0.5) / 100;
    this.say('ports/1', Buffer.from(`ST,GS,+${this.weight.toFixed(3).padStart(8, '0')}kg\r\n`));
  }

  say(path, bytes) {
    this.set(`${path}/bytes-in`, this.points.get(`${path}/bytes-in`).value + bytes.length);
    for (const r of this.readers) if (r.path === path) r.socket.send(bytes);
  }

  /** stream attaches a reader; `socket` has send and close. */
  stream(path, mode, take, socket) {
    const r = { path, mode, socket };
    const had = this.owners.get(path);
    if (mode === 'own') {
      if (had && !take) {
        socket.close(`${had} has the port`);
        return () => {};
      }
      for (const other of this.readers) {
        if (other.path !== path || other.mode !== 'own') continue;
        other.socket.close('another owner has taken the port');
      }
      this.owner(path, 'anna (http)');
    }
    this.readers.add(r);
    this.tell(path);
    return (message) => {
      if (message === null) {
        this.readers.delete(r);
        if (mode === 'own' && ![...this.readers].some((x) => x.path === path && x.mode === 'own')) this.owner(path, '');
        return;
      }
      if (mode !== 'own') return;
      if (typeof message === 'string') {
        if (JSON.parse(message).type === 'break') this.set(`${path}/break`, true), setTimeout(() => this.set(`${path}/break`, false), 600);
        return;
      }
      this.set(`${path}/bytes-out`, this.points.get(`${path}/bytes-out`).value + message.length);
      if (path === 'ports/2') setTimeout(() => this.say(path, message), 20);
      if (message.includes('gap')) for (const x of this.readers) if (x.path === path) x.socket.send(JSON.stringify({ type: 'gap', bytes: 1204 }));
    };
  }

  owner(path, who) {
    if (who) this.owners.set(path, who);
    else this.owners.delete(path);
    this.set(`${path}/owner`, who);
    this.set(`${path}/state`, who ? 'open' : path === 'ports/1' ? 'open' : 'closed');
    this.tell(path);
  }

  tell(path) {
    for (const r of this.readers) {
      if (r.path === path) r.socket.send(JSON.stringify({ type: 'line', open: this.points.get(`${path}/state`).value === 'open', owner: this.owners.get(path) ?? '', observers: this.readers.size }));
    }
  }

  scene(name) {
    if (name === 'lost') return this.lose();
    if (name === 'errors') return this.set('ports/1/errors/parity', this.points.get('ports/1/errors/parity').value + 3);
    this.down = undefined;
    this.set('_link/state', 'up');
    for (const [path, p] of this.points) if (p.quality === 'bad') this.set(path, p.value);
  }
}
