// The devices of the mock: machines that move a little, a plain device without roles, and one that does not answer.

const now = () => new Date().toISOString();

export class Device {
  constructor(about) {
    this.about = about;
    this.specs = new Map();
    this.points = new Map();
    this.changed = new Set();
    this.commands = [];
    this.labels = { 'link-state': labels('connecting', 'up', 'waiting', 'down', 'stopped') };
    this.t = 0;
    this.since = Date.now() - 7_380_000;
    this.add('_link/state', 'enum', 'up', { role: 'link.state', labels: 'link-state', title: 'State' });
    this.add('_link/since', 'string', new Date(this.since).toISOString());
    this.add('_link/last-data', 'string', now());
    this.add('_link/round-trip', 'float', 1.8, { unit: 'ms', decimals: 1, title: 'Round trip' });
    this.add('_link/frames', 'float', 16.2, { unit: '1/s', decimals: 1, title: 'Frames' });
  }

  add(path, kind, value, more = {}) {
    this.specs.set(path, { device: this.about.name, path, kind, access: 'r', rate: 'fast', grade: 'seen', ...more });
    this.points.set(path, { device: this.about.name, path, value: null, text: '', quality: 'good', seq: 1 });
    this.set(path, value);
  }

  set(path, value) {
    const spec = this.specs.get(path);
    const p = this.points.get(path);
    if (!spec || (p.value === value && p.quality === 'good')) return;
    p.value = value;
    p.quality = 'good';
    delete p.reason;
    p.received = now();
    p.text = spec.kind === 'float' ? value.toFixed(spec.decimals ?? 0) : String(value);
    if (spec.kind === 'enum') p.label = this.labels[spec.labels]?.find((l) => l.key === value)?.text ?? value;
    this.changed.add(p);
  }

  bad(path, reason) {
    const p = this.points.get(path);
    p.quality = 'bad';
    p.reason = reason;
    this.changed.add(p);
  }

  lose() {
    for (const path of this.points.keys()) if (!path.startsWith('_link/')) this.bad(path, 'link-down');
    this.set('_link/state', 'down');
    this.set('_link/since', now());
    this.down = { state: 'down', error_class: 'timeout', error: 'no reply within 2s', hint: 'Is the control switched on, and the cable in its Ethernet port?' };
  }

  describe() {
    const state = this.points.get('_link/state').value;
    const next = new Date(Math.ceil(Date.now() / 15_000) * 15_000).toISOString();
    return { ...this.about, point_count: this.points.size, link: this.down ? { ...this.down, next_attempt: next } : { state, since: this.points.get('_link/since').value } };
  }

  tick() {}

  step(dt) {
    this.t += dt;
    if (!this.down) {
      this.tick(dt);
      if (Math.floor(this.t * 2) !== Math.floor((this.t - dt) * 2)) this.set('_link/last-data', now());
    }
    const out = [...this.changed].map((p) => ({ ...p }));
    this.changed.clear();
    return out;
  }
}

export const labels = (...keys) => keys.map((key, value) => ({ key, value, text: key.includes('_') ? key.toLowerCase() : key }));

class Machine extends Device {
  constructor(name, { axes, paths }) {
    super({ name, driver: 'focas', title: 'FANUC FOCAS', panel: 'cnc', url: 'sim+focas:?profile=30i', simulated: true,
      labels: { area: 'Hall 2', line: 'Cell 4' }, writable_all: true, config_key: `devices.${name}.writable` });
    this.axes = axes;
    this.paths = paths;
    Object.assign(this.labels, {
      execution: labels('READY', 'ACTIVE', 'INTERRUPTED', 'STOPPED'), mode: labels('AUTOMATIC', 'MANUAL', 'EDIT'),
      emergency: labels('ARMED', 'TRIGGERED'), words: labels('MEM', 'STRT', 'HOLD', 'MTN', '****', '***', '---', 'ALM'),
    });
    for (let p = 1; p <= paths; p++) this.path(`path/${p}`);
    this.spindle('spindles/1');
    this.add('emergency-stop', 'enum', 'ARMED', { role: 'cnc.emergency-stop', labels: 'emergency', title: 'Emergency stop' });
    const column = (path) => ({ path, kind: 'string' });
    this.add('alarms', 'list', [], { role: 'cnc.alarms', columns: ['code', 'axis', 'text', 'number', 'type', 'first-seen'].map(column), title: 'Alarms' });
    this.add('alarm-count', 'int', 0, { role: 'cnc.alarm-count' });
    this.add('messages', 'list', [], { role: 'cnc.messages', columns: ['number', 'text'].map(column), title: 'Messages' });
    for (const [n, v] of [['power-on', 8_412_000], ['operating', 3_060_240], ['cutting', 1_900_100], ['cycle', 12]]) {
      this.add(`timers/${n}`, 'float', v, { role: `cnc.timer.${n}`, unit: 's', title: `Time ${n}` });
    }
    this.add('clock', 'string', '2026-05-04 14:03:22', { role: 'cnc.clock', title: 'Clock of the control' });
    const rw = { access: 'rw', writable: true, hazard: 'hazard', writable_key: `devices.${name}.writable` };
    for (const n of [500, 501, 502]) this.add(`macros/${n}`, 'float', 100 + n / 1000, { ...rw, role: 'cnc.macro', decimals: 3, doc: `Custom macro variable #${n}. FOCAS: cnc_rdmacro.` });
    this.add('parameters/6711', 'int', 214, { ...rw, writable: false, role: 'cnc.parameter', title: 'Parts machined' });
    this.add('pmc/d100', 'int', 7, { ...rw, hazard: '', role: 'cnc.pmc', min: 0, max: 255 });
    this.add('diagnosis/301', 'float', 0, { role: 'cnc.diagnosis', grade: 'guess' });
    this.bad('diagnosis/301', 'unsupported');
  }

  path(p) {
    const at = (name, kind, value, role, more) => this.add(`${p}/${name}`, kind, value, { role, ...more });
    at('execution', 'enum', 'ACTIVE', 'cnc.execution', { labels: 'execution', title: 'Execution' });
    at('controller-mode', 'enum', 'AUTOMATIC', 'cnc.controller-mode', { labels: 'mode' });
    for (const [n, v] of [['mode', 'MEM'], ['run', 'STRT'], ['motion', 'MTN'], ['mstb', '***'], ['emergency', '***'], ['alarm', '***'], ['edit', '***']]) {
      at(`status/${n}`, 'enum', v, `cnc.status.${n}`, { labels: 'words', doc: 'FOCAS: cnc_statinfo.' });
    }
    for (const n of ['single-block', 'block-delete', 'dry-run', 'machine-lock']) {
      at(`panel/${n}`, 'bool', p === 'path/2' && n !== 'block-delete', `cnc.panel.${n}`, { title: n });
    }
    at('program/main', 'string', 'O1001', 'cnc.program.main');
    at('program/running', 'string', 'O1001', 'cnc.program.running');
    at('program/comment', 'string', 'FLANGE 80 OP 10', 'cnc.program.comment');
    at('program/block', 'string', 'N10 G01 X10. Y5. F1200.', 'cnc.program.block');
    at('program/look-ahead', 'string', 'N20 G01 X20.\nN30 G00 Z50.', 'cnc.program.look-ahead');
    at('program/sequence', 'int', 10, 'cnc.program.sequence');
    at('part-count', 'int', 214, 'cnc.part-count');
    at('part-target', 'int', 500, 'cnc.part-target');
    at('feed/actual', 'float', 1200, 'cnc.feed.actual', { unit: 'mm/min' });
    at('feed/commanded', 'float', 1200, 'cnc.feed.commanded', { unit: 'mm/min' });
    at('feed/override', 'int', 100, 'cnc.feed.override', { unit: '%' });
    at('rapid/override', 'int', 100, 'cnc.rapid.override', { unit: '%' });
    at('tool', 'int', 12, 'cnc.tool');
    at('modal/g', 'string', 'G01 G17 G90 G21 G94 G40 G49 G54', 'cnc.modal.g');
    for (const [n, v] of [['m', 3], ['s', 8000], ['f', 1200]]) at(`modal/${n}`, 'int', v, 'cnc.modal');
    for (const a of this.axes) {
      for (const kind of ['absolute', 'relative', 'machine', 'distance-to-go']) {
        at(`axes/${a}/${kind}`, 'float', 0, `cnc.position.${kind}`, { unit: a === 'c' ? 'deg' : 'mm', decimals: 3, title: `${a.toUpperCase()} ${kind}` });
      }
      at(`axes/${a}/load`, 'float', 20, 'cnc.axis.load', { unit: '%', title: `${a.toUpperCase()} load` });
    }
  }

  spindle(s) {
    const at = (name, kind, value, more) => this.add(`${s}/${name}`, kind, value, { role: `cnc.spindle.${name}`, ...more });
    at('speed', 'float', 7998, { unit: 'rpm' });
    at('commanded', 'float', 8000, { unit: 'rpm' });
    at('load', 'float', 41, { unit: '%' });
    at('override', 'int', 100, { unit: '%' });
  }

  tick() {
    if (this.stopped) return;
    for (let p = 1; p <= this.paths; p++) {
      this.axes.forEach((a, i) => {
        const x = 180 * Math.sin(this.t / (2 + i + p)) * (i === 2 ? 0.3 : 1);
        for (const [kind, add] of [['absolute', 0], ['relative', 12.5], ['machine', -412.337]]) this.set(`path/${p}/axes/${a}/${kind}`, x + add);
        this.set(`path/${p}/axes/${a}/distance-to-go`, 4 * Math.cos(this.t * 2 + i));
        this.set(`path/${p}/axes/${a}/load`, Math.round(40 + 38 * Math.sin(this.t / 3 + i) + (i === 1 ? 24 : 0)));
      });
      this.set(`path/${p}/feed/actual`, Math.round(1190 + 10 * Math.random()));
      const n = 10 * (1 + (Math.floor(this.t / 1.5) % 12));
      this.set(`path/${p}/program/sequence`, n);
      this.set(`path/${p}/program/block`, `N${n} G0${n % 3} X${(n * 3.1).toFixed(3)} Y${(n / 4).toFixed(3)} F1200.`);
    }
    this.set('spindles/1/speed', Math.round(7995 + 8 * Math.random()));
    this.set('spindles/1/load', Math.round(41 + 6 * Math.sin(this.t)));
    this.set('timers/cycle', Math.floor(this.t));
    this.set('clock', `2026-05-04 14:${String(3 + Math.floor(this.t / 60)).padStart(2, '0')}:${String(Math.floor(this.t % 60)).padStart(2, '0')}`);
  }

  scene(name) {
    const words = { run: ['ACTIVE', 'STRT', 'MTN', '***'], hold: ['INTERRUPTED', 'HOLD', '***', '***'], alarm: ['STOPPED', '****', '***', 'ALM'], emergency: ['STOPPED', '****', '***', '***'] };
    if (name === 'lost') return this.lose();
    if (name === 'bad') {
      this.stopped = true;
      this.bad('path/1/axes/y/absolute', 'stale');
      return this.bad('path/1/tool', 'refused');
    }
    if (name === 'message') return this.set('messages', [{ number: 2001, text: 'LOAD NEXT BLANK AND CLOSE THE DOOR' }]);
    const [execution, run, motion, alarm] = words[name] ?? words.run;
    if (name === 'run') {
      this.down = undefined;
      this.set('_link/state', 'up');
      for (const [path, p] of this.points) if (p.quality === 'bad' && path !== 'diagnosis/301') this.set(path, p.value);
    }
    this.stopped = name !== 'run';
    this.set('path/1/execution', execution);
    this.set('path/1/status/run', run);
    this.set('path/1/status/motion', motion);
    this.set('path/1/status/alarm', alarm);
    this.set('emergency-stop', name === 'emergency' ? 'TRIGGERED' : 'ARMED');
    const alarms = [
      { code: 'SV0401', axis: 'X', text: 'V-READY OFF', number: 401, type: 'SV', 'first-seen': now() },
      { code: 'EX1005', axis: '', text: 'LUBRICATION LEVEL LOW, REFILL TANK AT THE REAR OF THE MACHINE', number: 1005, type: 'EX', 'first-seen': now() },
    ];
    this.set('alarms', name === 'alarm' ? alarms : []);
    this.set('alarm-count', name === 'alarm' ? 2 : 0);
  }
}

export const machine = (name, shape) => {
  const m = new Machine(name, shape);
  if (name === 'mill1') serve(m, ['192.0.2.40:40112', '192.0.2.41:51977', '[2001:db8::7:4]:39112']);
  return m;
};

/** serve adds the programs that use a device through the gateway. */
function serve(d, addresses) {
  for (const [name, value, title] of [['listen', '127.0.0.1:8193', 'Listens on'], ['count', addresses.length, 'Programs'], ['forwarded', 18_442, 'Forwarded'], ['saved', 9_120, 'Saved'], ['refused', 3, 'Refused']]) {
    d.add(`_clients/${name}`, typeof value === 'string' ? 'string' : 'int', value, { title });
  }
  addresses.forEach((address, i) => {
    const at = `_clients/${i + 1}`;
    d.add(`${at}/address`, 'string', address, { title: 'Client' });
    d.add(`${at}/since`, 'string', new Date(Date.now() - 400_000 * (i + 1)).toISOString(), { title: 'Since' });
    d.add(`${at}/channel`, 'int', 2, { title: 'Channel' });
    d.add(`${at}/requests-per-second`, 'float', 12.5 * (i + 1), { title: 'Requests per second', decimals: 1 });
    d.add(`${at}/requests`, 'int', 4120 * (i + 1), { title: 'Requests' });
    d.add(`${at}/refused`, 'int', i, { title: 'Refused' });
    d.commands.push({ path: `${at}/disconnect`, args: [], title: 'Disconnect', writable: true, writable_key: `devices.${d.about.name}.writable` });
  });
}

/** plain is a device that no panel was made for. */
export function plain(name) {
  const d = new Device({ name, driver: 'scpi', title: 'Bench supply', panel: '', url: 'scpi://192.0.2.60', config_key: `devices.${name}.writable` });
  d.labels['range-set'] = labels('low', 'high');
  d.add('outputs/1/voltage', 'float', 12, { unit: 'V', decimals: 3, access: 'rw', writable: true, min: 0, max: 30, title: 'Voltage' });
  d.add('outputs/1/current', 'float', 0.52, { unit: 'A', decimals: 3, title: 'Current' });
  d.add('outputs/1/on', 'bool', true, { access: 'rw', writable: true, hazard: 'live', title: 'Output' });
  d.add('range', 'enum', 'low', { access: 'rw', writable: true, labels: 'range-set', title: 'Range' });
  d.add('outputs/1/limit', 'float', 2, { unit: 'A', decimals: 1, access: 'rw', writable: false, title: 'Current limit' });
  d.add('id', 'string', 'A very long identification, as some makers like them: MODEL 3000X-B/115 SERIAL 00A1B2C3D4E5F6', { title: 'Identity' });
  Object.assign(d.points.get('outputs/1/limit'), { quality: 'uncertain', reason: 'assumed-default' });
  const key = { writable: true, writable_key: `devices.${name}.writable` };
  d.commands.push(
    { path: 'beep', args: [], title: 'Beep', doc: 'Sounds once at the front panel.', ...key },
    { path: 'recall', args: [{ path: 'slot', kind: 'int', min: 1, max: 9 }, { path: 'range', kind: 'enum', labels: 'range-set' }], title: 'Recall', doc: 'Puts a stored setting onto the output.', hazard: 'hazard', ...key },
    { path: 'calibrate', args: [], title: 'Calibrate', hazard: 'hazard', writable: false, writable_key: key.writable_key });
  d.tick = () => d.set('outputs/1/current', 0.5 + 0.05 * Math.sin(d.t));
  return d;
}

/** lost is a machine that has never answered. */
export function lost(name) {
  const d = new Device({ name, driver: 'focas', title: 'FANUC FOCAS', panel: 'cnc', url: 'focas://192.0.2.21:8193', config_key: `devices.${name}.writable` });
  d.lose();
  d.down = { state: 'down', error_class: 'refused', error: '192.0.2.21:8193 refused the connection',
    hint: 'The control is on the network, but FOCAS Ethernet is not answering: port number, Ethernet option.' };
  return d;
}
