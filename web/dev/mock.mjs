// A small stand-in for the gateway's HTTP door, for work on the page without a gateway. Development only.
//
//   node dev/mock.mjs [port]        serves dist/ and the API on 127.0.0.1 (8621; 0 picks a port)
//
// A scene is set while it runs: curl -X POST 'http://127.0.0.1:8621/mock?device=mill1&scene=alarm'. Scenes: run, hold,
// alarm, emergency, message, lost, bad, and without a device: empty, full, silent for 12 s without a word, login and open,
// insecure and secure.
import { createServer } from 'node:http';
import { readFile } from 'node:fs/promises';
import { extname, join, normalize } from 'node:path';
import { machine, plain, lost } from './machines.mjs';
import { serialBox } from './serial.mjs';
import { switcher } from './switcher.mjs';
import { accept } from './websocket.mjs';

const port = Number(process.argv[2] ?? 8621);
const dist = new URL('../dist/', import.meta.url).pathname;
const epoch = Math.random().toString(36).slice(2, 8);
const kinds = { '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml', '.woff2': 'font/woff2', '.txt': 'text/plain' };

const all = [
  machine('mill1', { axes: ['x', 'y', 'z'], paths: 1 }),
  machine('transfer-line-4-left-spindle-turning-centre-behind-the-compressor', { axes: ['x', 'z', 'c'], paths: 2 }),
  plain('bench-psu'),
  lost('mill2'),
  switcher('studio', { mes: 2, cameras: 8 }),
  switcher('field-kit', { mes: 1, cameras: 4 }),
  serialBox('rack-ports', 4),
];
let devices = all;
let seq = 1;
let silentUntil = 0;
let access = 'open';
let insecure = '';
let failures = 0;
const users = { anna: 'operator', eve: 'viewer', root: 'admin' }; // the password of each is the name
const writes = [];
const line = (more) => ({ seq: ++lines, at: now(), door: 'http', addr: '192.0.2.7:50112', ...more });
let lines = 0;
const readers = new Set();

const now = () => new Date().toISOString();
const audit = [
  line({ what: 'login', user: 'root', outcome: 'ok' }),
  line({ what: 'login', outcome: 'refused', why: 'there is no such user', addr: '192.0.2.99:41022' }),
  line({ what: 'write', user: 'anna', device: 'mill1', path: 'macros/500', old: '100.500', new: '101.250', outcome: 'confirmed', id: 'w1' }),
  line({ what: 'write', user: 'eve', device: 'mill1', path: 'macros/500', old: '101.250', new: '0', outcome: 'refused', why: 'eve is a viewer and may only read' }),
  line({ what: 'native', door: 'focas', device: 'mill1', raw: 'cnc_wrmacro', outcome: 'refused', why: 'serve.allow does not name it', addr: '192.0.2.40:40112' }),
];
const stampOf = (n) => `id: ${epoch}.${n}\n`;

function send(reader, name, data) {
  reader.res.write(`${stampOf(seq)}event: ${name}\ndata: ${JSON.stringify(data)}\n\n`);
}

function chosen(reader, spec) {
  const q = reader.query;
  if (q.has('device') && !q.getAll('device').includes(spec.device)) return false;
  return !q.has('role') || q.getAll('role').includes(spec.role);
}

function whole(reader) {
  const specs = [];
  const points = [];
  const label_sets = {};
  for (const d of devices) {
    for (const [path, spec] of d.specs) {
      if (!chosen(reader, spec)) continue;
      specs.push(reader.user && users[reader.user] === 'viewer' ? { ...spec, writable: false, writable_key: `users.${reader.user}.role` } : spec);
      points.push(d.points.get(path));
    }
    label_sets[d.about.name] = d.labels;
  }
  send(reader, 'specs', { specs, label_sets });
  send(reader, 'points', { points });
}

setInterval(() => {
  if (Date.now() < silentUntil) return;
  const changed = [];
  for (const d of devices) {
    for (const p of d.step(0.1)) {
      seq++;
      p.seq = seq;
      changed.push(p);
    }
  }
  for (const reader of readers) {
    const points = changed.filter((p) => chosen(reader, devices.find((d) => d.about.name === p.device).specs.get(p.path)));
    if (points.length > 0) send(reader, 'points', { points });
  }
}, 100);
setInterval(() => Date.now() > silentUntil && readers.forEach((r) => send(r, 'ping', { at: now() })), 2000);

function take(write, stage, final, text, hint) {
  seq++;
  write.seq = seq;
  write.stage = stage;
  write.final = final;
  write.items[0].steps.push({ stage, at: now(), final, text, hint });
  readers.forEach((r) => r.query.has('writes') && send(r, 'write', write));
}

function writeOne({ device, path, value }, user) {
  const d = devices.find((x) => x.about.name === device);
  const point = d?.points.get(path);
  const write = {
    id: `w${writes.length + 1}`, seq, at: now(), who: { user, door: 'http', addr: '127.0.0.1:50112' }, stage: 'accepted', final: false,
    items: [{ device, path, old: point?.value ?? null, new: value, steps: [] }],
  };
  writes.push(write);
  take(write, 'accepted', false);
  setTimeout(() => take(write, 'sent', false), (d.pace ?? 700) / 7);
  setTimeout(() => {
    if (d.refuses?.has(path)) return take(write, 'refused', true, d.refuses.get(path));
    if (path.endsWith('502')) return take(write, 'refused', true, 'the control answered EW_PROT: the variable is write-protected', 'Release parameter 6031 on the control.');
    d.set(path, value);
    take(write, 'confirmed', true);
  }, d.pace ?? 700);
  return write;
}

async function command(req, d, user) {
  let body = '';
  for await (const part of req) body += part;
  const { path, args } = JSON.parse(body);
  const write = {
    id: `w${writes.length + 1}`, seq, at: now(), who: { user, door: 'http', addr: '127.0.0.1:50112' }, stage: 'accepted', final: false,
    items: [{ device: d.about.name, path, command: true, args: Object.values(args), steps: [] }],
  };
  writes.push(write);
  take(write, 'accepted', false);
  setTimeout(() => {
    d.command?.(path, args);
    take(write, d.command ? 'confirmed' : 'acknowledged', true);
  }, d.pace ?? 400);
  return write;
}

function json(res, status, body) {
  res.writeHead(status, { 'Content-Type': status < 400 ? 'application/json' : 'application/problem+json' }).end(JSON.stringify(body));
}

async function api(req, res, url) {
  if (Date.now() < silentUntil) return; // neither answer nor error, as a hanging process
  const path = url.pathname.slice('/api/v1'.length);
  const user = access === 'login' ? (/mock=(\w+)/.exec(req.headers.cookie ?? '')?.[1] ?? '') : '';
  const problem = (status, code, detail, headers = {}) =>
    res.writeHead(status, { 'Content-Type': 'application/problem+json', ...headers }).end(JSON.stringify({ status, code, detail }));
  const me = (name) => ({ access, user: name, role: name ? users[name] : 'admin', writable: name === 'anna' ? ['mill1/macros/*'] : null,
    insecure: insecure !== '', insecure_why: insecure, expires: name && new Date(Date.now() + 7 * 864e5).toISOString() });
  if (path === '/login') {
    let body = '';
    for await (const part of req) body += part;
    const { user: name, password } = JSON.parse(body);
    if (failures >= 5) {
      failures = 0;
      return problem(429, 'too-many-logins', 'too many failed logins', { 'Retry-After': '8' });
    }
    if (!users[name] || password !== name) return ++failures, problem(401, 'bad-login', 'the name or the password is wrong');
    failures = 0;
    res.setHeader('Set-Cookie', `mock=${name}; HttpOnly; SameSite=Strict; Path=/`);
    return json(res, 200, me(name));
  }
  if (access === 'login' && !user) return problem(401, 'login-required', 'this gateway wants to know who asks');
  if (path === '/me') return json(res, 200, me(user));
  if (path === '/logout') {
    for (const reader of readers) if (reader.user === user) reader.res.end();
    return res.writeHead(204, { 'Set-Cookie': 'mock=; Max-Age=0; Path=/' }).end();
  }
  if (path === '/probe') {
    let body = '';
    for await (const part of req) body += part;
    const { address } = JSON.parse(body);
    const open = { step: 'connect', target: `${address}:8193`, outcome: 'ok', took_ms: 0.8, meaning: 'the port is open' };
    const refused = { step: 'connect', target: `${address}:8193`, outcome: 'refused', took_ms: 0.3, meaning: 'the host is on and answers, but nothing listens on this port' };
    const spoken = { step: 'focas', target: `${address}:8193`, outcome: 'ok', took_ms: 2.1, sent: 'a0a0a0a00001010100020002', received: 'a0a0a0a000010102000200020030', found: ['series 30i, version 0042'], meaning: 'it speaks FANUC FOCAS' };
    const no = 'The device answers on the network but FANUC FOCAS does not: nothing listens on its port.';
    return json(res, 200, address.endsWith('.9')
      ? { match: false, urls: [], verdict: no, advice: 'On a FANUC control, look at the Ethernet screen: is FOCAS2/Ethernet switched on for the port in use?', steps: [refused] }
      : { match: true, urls: [`focas://${address}`], verdict: `It speaks FANUC FOCAS.`, steps: [open, spoken] });
  }
  if (path === '/audit') return json(res, 200, { seq: audit.length, entries: audit.filter((e) => e.seq > Number(url.searchParams.get('since'))) });
  if (path === '/devices') return json(res, 200, { epoch, version: 'mock', devices: devices.map((d) => d.describe()) });
  if (path === '/events') {
    res.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' });
    const reader = { res, query: url.searchParams, user };
    readers.add(reader);
    req.on('close', () => readers.delete(reader));
    send(reader, 'hello', { epoch, seq, version: 'mock' });
    return whole(reader);
  }
  if (path === '/writes' && req.method === 'GET') {
    return json(res, 200, { seq, writes: writes.filter((w) => w.items[0].device === url.searchParams.get('device')) });
  }
  if (path === '/writes') {
    let body = '';
    for await (const part of req) body += part;
    const item = JSON.parse(body).writes[0];
    const spec = devices.find((d) => d.about.name === item.device)?.specs.get(item.path);
    if (!spec?.writable) return json(res, 403, { title: 'read only', status: 403, code: 'read-only', detail: 'The device does not let this be written.' });
    if (spec.max && (item.value < spec.min || item.value > spec.max)) {
      return json(res, 422, { title: 'out of range', status: 422, code: 'out-of-range', detail: `${item.value} is outside ${spec.min} to ${spec.max}.` });
    }
    return json(res, 200, writeOne(item, user));
  }
  const of = /^\/devices\/([^/]+)\/(specs|value|commands)$/.exec(path);
  const d = of && devices.find((x) => x.about.name === of[1]);
  if (d && of[2] === 'specs') return json(res, 200, { specs: [...d.specs.values()], label_sets: d.labels, commands: d.commands.map((c) => (users[user] === 'viewer' ? { ...c, writable: false } : c)) });
  if (d && of[2] === 'commands') return json(res, 200, await command(req, d, user));
  if (d?.points.has(url.searchParams.get('path'))) return json(res, 200, d.points.get(url.searchParams.get('path')));
  const one = /^\/writes\/(.+)$/.exec(path);
  const write = one && writes.find((w) => w.id === one[1]);
  return write ? json(res, 200, write) : json(res, 404, { title: 'not found', status: 404 });
}

function scene(url, res) {
  const name = url.searchParams.get('scene') ?? 'run';
  if (name === 'empty' || name === 'full') devices = name === 'empty' ? [] : all;
  else if (name === 'login' || name === 'open') access = name;
  else if (name === 'insecure' || name === 'secure') insecure = name === 'insecure' ? url.searchParams.get('why') || 'no TLS' : '';
  else if (name === 'silent') silentUntil = Date.now() + 12_000;
  else all.find((d) => d.about.name === url.searchParams.get('device'))?.scene(name);
  res.end('ok\n');
}

const server = createServer(async (req, res) => {
  const url = new URL(req.url, 'http://mock');
  if (url.pathname.startsWith('/api/')) return api(req, res, url);
  if (url.pathname === '/mock') return scene(url, res);
  res.setHeader('Content-Security-Policy', "default-src 'self'");
  const file = normalize(url.pathname).replace(/^\/+/, '');
  try {
    const body = await readFile(join(dist, extname(file) ? file : 'index.html'));
    res.writeHead(200, { 'Content-Type': kinds[extname(file)] ?? 'text/html' }).end(body);
  } catch {
    res.writeHead(404).end();
  }
});
server.on('upgrade', (req, socket) => {
  const url = new URL(req.url, 'http://mock');
  const d = devices.find((x) => url.pathname === `/api/v1/devices/${x.about.name}/stream`);
  if (!d?.stream) return socket.end('HTTP/1.1 404 Not Found\r\n\r\n');
  let hear = () => {};
  const ws = accept(req, socket, (message) => hear(message));
  hear = d.stream(url.searchParams.get('path'), url.searchParams.get('mode'), url.searchParams.get('take') === 'true', ws);
});
server.listen(port, '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}/`));
