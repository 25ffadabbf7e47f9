// A switcher for the mock: buses that take over, transitions that run, tally that follows.
import { Device, labels } from './machines.mjs';

const fps = 25;

/** switcher is a video switcher with the given number of M/Es and cameras. */
export function switcher(name, shape) {
  return new Switcher(name, shape);
}

class Switcher extends Device {
  constructor(name, { mes, cameras }) {
    super({ name, driver: 'atem', title: 'ATEM', panel: 'switcher', url: 'sim+atem:', simulated: true, writable_all: true, config_key: `devices.${name}.writable` });
    this.pace = 60;
    this.mes = mes;
    this.refuses = new Map([['aux/2/source', 'the switcher answered nothing within 2 s']]);
    const all = [[0, 'Black', 'BLK']];
    for (let i = 1; i <= cameras; i++) all.push([i, i === 3 ? 'Stage left, long lens behind the choir' : `Camera ${i}`, i === 3 ? 'STGL' : `CAM${i}`]);
    all.push([1000, 'Color Bars', 'BARS'], [2001, 'Color 1', 'COL1'], [2002, 'Color 2', 'COL2'], [3010, 'Media Player 1', 'MP1'], [3011, 'Media Player 1 Key', 'MP1K'], [3020, 'Media Player 2', 'MP2'], [6000, 'Super Source', 'SSRC'], [10010, 'ME 1 Prog', 'PGM1']);
    this.sources = all;
    Object.assign(this.labels, {
      sources: all.map(([id, text, short]) => ({ value: id, key: String(id), text, short })),
      styles: labels('mix', 'dip', 'wipe', 'dve', 'sting'), tally: labels('off', 'preview', 'program', 'both'), 'key-type': labels('luma', 'chroma', 'pattern', 'dve'),
      'video-modes': [{ value: 8, key: '1080i50', text: '1080i50' }], 'stream-state': labels('idle', 'connecting', 'streaming', 'stopping'), 'record-state': labels('idle', 'recording', 'stopping'),
      macro: [{ value: -1, key: 'none', text: 'none' }, { value: 0, key: '1', text: 'Opening' }, { value: 4, key: '5', text: 'Interview, two boxes' }],
    });
    const put = (hazard) => ({ access: 'rw', writable: true, writable_key: `devices.${name}.writable`, hazard });
    const live = put('live');
    const source = (path, role, value, more) => this.add(path, 'enum', String(value), { role, labels: 'sources', ...more });
    const keyers = mes === 1 ? 1 : 4;
    for (let m = 1; m <= mes; m++) {
      const me = `me/${m}`;
      source(`${me}/program`, 'av.program', m, { ...live, title: 'Program' });
      source(`${me}/preview`, 'av.preview', m + 1, { ...put(''), title: 'Preview' });
      this.add(`${me}/transition/style`, 'enum', 'mix', { role: 'av.transition.style', labels: 'styles', ...put('') });
      this.add(`${me}/transition/position`, 'float', 0, { role: 'av.transition.position', min: 0, max: 1, decimals: 4, ...live });
      this.add(`${me}/transition/running`, 'bool', false, { role: 'av.transition.running' });
      this.add(`${me}/transition/frames-left`, 'int', 25, { role: 'av.transition.frames-left', unit: 'frames' });
      this.add(`${me}/transition/rate`, 'int', 37, { role: 'av.transition.rate', unit: 'frames', min: 1, max: 250, ...put('') });
      this.add(`${me}/transition/preview`, 'bool', false, { role: 'av.transition.preview', ...put('') });
      for (const layer of ['background', ...Array.from({ length: keyers }, (_, i) => `key-${i + 1}`)]) {
        this.add(`${me}/transition/layers/${layer}`, 'bool', layer === 'background', { role: 'av.transition.layer', ...put('') });
      }
      for (let k = 1; k <= keyers; k++) {
        const key = `${me}/keyers/${k}`;
        this.add(`${key}/on-air`, 'bool', m === 1 && k === 2, { role: 'av.keyer.on-air', ...live });
        this.add(`${key}/type`, 'enum', 'luma', { role: 'av.keyer.type', labels: 'key-type', ...put('') });
        source(`${key}/fill`, 'av.keyer.fill', 3010, live);
        source(`${key}/key`, 'av.keyer.key', 3011, live);
      }
      this.commands.push({ path: `${me}/cut`, args: [], title: 'Cut', hazard: 'live', writable: true }, { path: `${me}/auto`, args: [], title: 'Auto', hazard: 'live', writable: true });
    }
    for (let d = 1; d <= 2; d++) {
      this.add(`dsk/${d}/on-air`, 'bool', false, { role: 'av.dsk.on-air', ...live });
      this.add(`dsk/${d}/tie`, 'bool', d === 1, { role: 'av.dsk.tie', ...put('') });
      this.add(`dsk/${d}/rate`, 'int', 25, { role: 'av.dsk.rate', unit: 'frames', min: 1, max: 250, ...put('') });
      this.add(`dsk/${d}/running`, 'bool', false, { role: 'av.dsk.running' });
      source(`dsk/${d}/fill`, 'av.dsk.fill', 3010, live);
      source(`dsk/${d}/key`, 'av.dsk.key', 3011, live);
      this.commands.push({ path: `dsk/${d}/auto`, args: [], title: 'Auto', hazard: 'live', writable: true });
    }
    this.add('ftb/1/black', 'bool', false, { role: 'av.ftb.black' });
    this.add('ftb/1/running', 'bool', false, { role: 'av.ftb.running' });
    this.add('ftb/1/frames-left', 'int', 25, { role: 'av.ftb.frames-left', unit: 'frames' });
    this.add('ftb/1/rate', 'int', 25, { role: 'av.ftb.rate', unit: 'frames', min: 1, max: 250, ...put('') });
    this.commands.push({ path: 'ftb/1/auto', args: [], title: 'Fade to black', hazard: 'live', writable: true });
    for (let a = 1; a <= (mes === 1 ? 1 : 6); a++) source(`aux/${a}/source`, 'av.aux.source', a === 1 ? 10010 : a, { ...live, title: `Output ${a}` });
    for (const [id, long] of all) {
      this.add(`inputs/${id}/tally`, 'enum', 'off', { role: 'av.tally', labels: 'tally', attributes: { name: long } });
      this.add(`inputs/${id}/available`, 'bool', id < 10000 && id !== 3011, { role: 'av.input.available' });
    }
    if (mes > 1) {
      for (let b = 1; b <= 4; b++) {
        this.add(`supersource/1/boxes/${b}/shown`, 'bool', b < 3, { role: 'av.supersource.box', ...live });
        source(`supersource/1/boxes/${b}/source`, 'av.supersource.source', b, live);
      }
    }
    this.labels.stills = [{ value: 1, key: 'still-1', text: 'Lower third' }, { value: 2, key: 'still-2', text: 'End card' }];
    for (let p = 1; p <= 2; p++) this.add(`media/players/${p}/source`, 'enum', `still-${p}`, { role: 'av.media.source', labels: 'stills', ...live });
    for (const [n, text] of [[1, 'Lower third'], [2, 'End card']]) this.add(`media/stills/${n}/name`, 'string', text, { role: 'av.media.name' });
    for (const [n, text] of [[1, 'Opening'], [5, 'Interview, two boxes']]) {
      this.add(`macros/${n}/name`, 'string', text, { role: 'av.macro.name' });
      this.commands.push({ path: `macros/${n}/run`, args: [], title: 'Run', hazard: 'live', writable: true }, { path: `macros/${n}/delete`, args: [], title: 'Delete', hazard: 'hazard', writable: true });
    }
    this.add('macros/running', 'enum', 'none', { role: 'av.macro.running', labels: 'macro' });
    this.add('macros/recording', 'enum', 'none', { role: 'av.macro.recording', labels: 'macro' });
    this.commands.push({ path: 'macros/stop', args: [], title: 'Stop', writable: true });
    this.add('stream/state', 'enum', 'idle', { role: 'av.stream.state', labels: 'stream-state' });
    this.add('stream/bitrate', 'int', 0, { role: 'av.stream.bitrate', unit: 'bit/s' });
    this.add('stream/duration', 'string', '00:00:00', { role: 'av.stream.duration' });
    this.add('record/state', 'enum', 'idle', { role: 'av.record.state', labels: 'record-state' });
    this.add('record/remaining', 'float', 7200, { role: 'av.record.remaining', unit: 's' });
    this.add('record/duration', 'string', '00:00:00', { role: 'av.record.duration' });
    for (const what of ['stream', 'record']) for (const verb of ['start', 'stop']) this.commands.push({ path: `${what}/${verb}`, args: [], title: verb, hazard: 'live', writable: true });
    this.add('video-mode', 'enum', '1080i50', { role: 'av.video-mode', labels: 'video-modes' });
    this.add('model', 'string', mes === 1 ? 'ATEM Mini' : 'ATEM 2 M/E', { role: 'id.model' });
    this.run = new Map();
  }

  get(path) {
    return this.points.get(path)?.value;
  }

  command(path) {
    const at = path.slice(0, path.lastIndexOf('/'));
    const verb = path.slice(at.length + 1);
    if (verb === 'cut') this.swap(at);
    else if (at.startsWith('me/') && verb === 'auto') this.run.set(at, { left: this.get(`${at}/transition/rate`), from: this.get(`${at}/transition/position`) });
    else if (at.startsWith('dsk/')) this.set(`${at}/on-air`, !this.get(`${at}/on-air`));
    else if (at.startsWith('ftb/')) this.run.set(at, { left: this.get(`${at}/rate`) });
    else if (verb === 'run') this.set('macros/running', at.split('/')[1]);
    else if (path === 'macros/stop') this.set('macros/running', 'none');
    else if (at === 'stream') this.set('stream/state', verb === 'start' ? 'streaming' : 'idle');
    else if (at === 'record') this.set('record/state', verb === 'start' ? 'recording' : 'idle');
  }

  swap(me) {
    const program = this.get(`${me}/program`);
    if (this.get(`${me}/transition/layers/background`)) {
      this.set(`${me}/program`, this.get(`${me}/preview`));
      this.set(`${me}/preview`, program);
    }
    for (let k = 1; this.specs.has(`${me}/keyers/${k}/on-air`); k++) {
      if (this.get(`${me}/transition/layers/key-${k}`)) this.set(`${me}/keyers/${k}/on-air`, !this.get(`${me}/keyers/${k}/on-air`));
    }
  }

  tick(dt) {
    for (const [at, r] of this.run) {
      r.left -= dt * fps;
      const done = r.left <= 0;
      if (at.startsWith('ftb')) {
        this.set(`${at}/running`, !done);
        this.set(`${at}/frames-left`, Math.max(0, Math.round(r.left)));
        if (done) this.set(`${at}/black`, !this.get(`${at}/black`));
      } else {
        const rate = this.get(`${at}/transition/rate`);
        this.set(`${at}/transition/running`, !done);
        this.set(`${at}/transition/frames-left`, done ? rate : Math.round(r.left));
        this.set(`${at}/transition/position`, done ? 0 : 1 - r.left / rate);
        if (done) this.swap(at);
      }
      if (done) this.run.delete(at);
    }
    const on = new Map();
    const put = (id, state) => on.set(id, on.has(id) && on.get(id) !== state ? 'both' : state);
    const me = 'me/1';
    put(this.get(`${me}/program`), 'program');
    put(this.get(`${me}/preview`), this.get(`${me}/transition/position`) > 0 ? 'program' : 'preview');
    for (let k = 1; this.specs.has(`${me}/keyers/${k}/on-air`); k++) if (this.get(`${me}/keyers/${k}/on-air`)) put(this.get(`${me}/keyers/${k}/fill`), 'program');
    for (const [id] of this.sources) this.set(`inputs/${id}/tally`, on.get(String(id)) ?? 'off');
    this.set('stream/bitrate', this.get('stream/state') === 'streaming' ? 6_000_000 + Math.round(4e5 * Math.sin(this.t)) : 0);
  }

  set(path, value) {
    super.set(path, value);
    const moved = /^(me\/\d+)\/transition\/position$/.exec(path);
    if (moved && value >= 1 && !this.run?.has(moved[1])) {
      this.swap(moved[1]);
      super.set(path, 0);
    }
  }

  scene(name) {
    if (name === 'lost') return this.lose();
    if (name === 'black') return this.set('ftb/1/black', true);
    if (name === 'mid') return this.set('me/1/transition/position', 0.42);
    this.down = undefined;
    this.set('_link/state', 'up');
    this.set('ftb/1/black', false);
    this.set('me/1/transition/position', 0);
    for (const [path, p] of this.points) if (p.quality === 'bad') this.set(path, p.value);
  }
}
