import { batch, signal, type Signal } from '@preact/signals';
import * as api from '../api/client.ts';
import { Events, gateway, type EventName } from '../api/events.ts';
import type { Device, LabelSets, Point, Spec, Write } from '../api/types.ts';
import { heardAt, pageTime } from './clock.ts';
import { isPairing } from '../model/pairing.ts';
import { Ring } from './ring.ts';

/** Entry is one point: its description, its newest state, and some minutes of the past when it is a number. */
export class Entry {
  readonly device: string;
  readonly path: string;
  readonly spec: Signal<Spec>;
  readonly point: Signal<Point | null> = signal(null);
  history: Ring | null = null;

  constructor(spec: Spec) {
    this.device = spec.device;
    this.path = spec.path;
    this.spec = signal(spec);
  }
}

/** Shelf holds the points of one device. `shape` changes when points or their descriptions come or go. */
export class Shelf {
  readonly entries = new Map<string, Entry>();
  readonly shape = signal(0);
  readonly newest = signal(0); // page time of the newest data
  labels: LabelSets = {};
}

const shelves = new Map<string, Shelf>();
const shelvesChanged = signal(0);

/** The configured devices; null until the gateway has told them. */
export const devices = signal<Device[] | null>(null);

/** The write log of the device that is shown, by id, in order of arrival. */
export const log = signal<ReadonlyMap<string, Write>>(new Map());

/** Rises when everything that was known had to be forgotten; who follows meters asks for them again. */
export const forgotten = signal(0);

/** shelf finds the points of one device and makes the caller follow it. */
export function shelf(device: string): Shelf | undefined {
  shelvesChanged.value;
  return shelves.get(device);
}

/** entry finds one point; the caller re-renders when the set of points changes. */
export function entry(device: string, path: string): Entry | undefined {
  const s = shelf(device);
  s?.shape.value;
  return s?.entries.get(path);
}

const listRoles = ['link.state', 'link.error', 'cnc.execution', 'cnc.controller-mode', 'cnc.emergency-stop',
  'cnc.alarm-count', 'cnc.message-count', 'cnc.program.running', 'cnc.program.main', 'av.program', 'av.preview', 'av.ftb.black', 'serial.state', 'audio.monitor.level', 'audio.monitor.mute', 'audio.monitor.dim', 'audio.phantom'];

let events: Events | null = null;
let broken = () => {};
let wanted = '';

/** show chooses what the tab follows: one device whole, or its tally alone, or of all devices what the list needs (''). */
export function show(device: string, tally = false): void {
  events ??= new Events(receive, () => broken());
  wanted = device;
  const query = new URLSearchParams();
  if (device && tally) {
    query.set('device', device);
    for (const role of ['av.tally', 'av.program', 'av.input.name', 'av.input.label', 'link.state', 'link.error']) query.append('role', role);
    query.set('every', '10ms');
  } else if (device) {
    query.set('device', device);
    query.set('except', 'audio.meter'); // whoever shows meters follows them by store/meters.ts
    query.set('writes', 'true');
  } else {
    for (const role of listRoles) query.append('role', role);
    query.set('every', '500ms');
  }
  events.follow(query.toString());
}

/** onBroken names what to do when the event stream ends by itself. */
export function onBroken(act: () => void): void {
  broken = act;
}

/** suspend ends the event stream while nobody is signed in; forgetting takes away all that was read. */
export function suspend(forgetting: boolean): void {
  events?.pause();
  if (!forgetting) return;
  events = null;
  devices.value = null;
  log.value = new Map();
  forget();
}

/** proceed follows again what is shown, from where it stopped when it is still the same reader. */
export function proceed(sameReader: boolean): void {
  if (!sameReader) {
    log.value = new Map();
    forget();
  }
  events?.resume(!sameReader);
}

let asking = false;
let askAgain = false;

/**
 * refreshDevices asks for the list of devices; a failure keeps the old one, and the event stream tells of the loss. One question is
 * under way at a time, and what has changed since is asked for after it: of two answers the older one could come last.
 */
export async function refreshDevices(): Promise<void> {
  askAgain = true;
  if (asking) return;
  asking = true;
  while (askAgain) {
    askAgain = false;
    try {
      devices.value = await api.devices();
    } catch {
      break; // asked for again at the next change, and with the next stream
    }
  }
  asking = false;
}

function receive(name: EventName, data: never, resumed: boolean): void {
  batch(() => {
    switch (name) {
      case 'hello':
        if (!resumed) forget();
        void refreshDevices();
        if (wanted) void refreshLog(wanted);
        break;
      case 'reset':
        forget();
        break;
      case 'specs':
        takeSpecs(data as { specs?: Spec[]; label_sets?: Record<string, LabelSets> });
        break;
      case 'points':
        takePoints((data as { points?: Point[] }).points ?? []);
        break;
      case 'gone':
        takeGone((data as { gone?: { device: string; path: string }[] }).gone ?? []);
        break;
      case 'write':
        takeWrite(data as Write);
        break;
      case 'ping':
        heardAt((data as { at?: string }).at);
        break;
    }
  });
}

function forget(): void {
  shelves.clear();
  shelvesChanged.value++;
  forgotten.value++;
}

function takeSpecs(news: { specs?: Spec[]; label_sets?: Record<string, LabelSets> }): void {
  for (const spec of news.specs ?? []) {
    let s = shelves.get(spec.device);
    if (!s) {
      s = new Shelf();
      shelves.set(spec.device, s);
      shelvesChanged.value++;
      if (devices.value && !devices.value.some((d) => d.name === spec.device)) void refreshDevices();
    }
    const old = s.entries.get(spec.path);
    if (old) old.spec.value = spec;
    else s.entries.set(spec.path, new Entry(spec));
    s.shape.value++;
  }
  for (const [device, sets] of Object.entries(news.label_sets ?? {})) {
    const s = shelves.get(device);
    if (s) s.labels = { ...s.labels, ...sets };
  }
}

function takePoints(points: Point[]): void {
  for (const point of points) {
    const s = shelves.get(point.device);
    const e = s?.entries.get(point.path);
    if (!s || !e) continue;
    e.point.value = point;
    const at = pageTime(point.received);
    const link = point.path.startsWith('_');
    if (!link && point.quality !== 'bad') s.newest.value = Math.max(s.newest.peek(), at);
    if (point.path === '_link/last-data') s.newest.value = Math.max(s.newest.peek(), pageTime(point.value));
    if (point.path === '_link/state') void refreshDevices();
    if (wanted) remember(e, point, at);
  }
}

function remember(e: Entry, point: Point, at: number): void {
  const kind = e.spec.peek().kind;
  if (kind !== 'float' && kind !== 'int' && kind !== 'bool') return;
  e.history ??= new Ring();
  const usable = point.quality !== 'bad' && point.value !== null && point.value !== undefined;
  e.history.push((usable && at ? at : Date.now()) / 1000, usable ? Number(point.value) : NaN);
}

/** takeMeters takes what the second stream of a tab says. */
export function takeMeters(name: 'specs' | 'points', data: { specs?: Spec[]; label_sets?: Record<string, LabelSets>; points?: Point[] }): void {
  batch(() => {
    if (name === 'specs') takeSpecs(data);
    else takePoints(data.points ?? []);
  });
}

function takeGone(gone: { device: string; path: string }[]): void {
  for (const { device, path } of gone) {
    const s = shelves.get(device);
    if (!s?.entries.delete(path)) continue;
    s.shape.value++;
    if (s.entries.size === 0) {
      shelves.delete(device);
      shelvesChanged.value++;
      void refreshDevices();
    }
  }
}

function takeWrite(write: Write): void {
  const known = log.value.get(write.id);
  if (known && known.seq > write.seq) return;
  const next = new Map(log.value);
  next.set(write.id, write);
  for (const id of next.keys()) {
    if (next.size <= 500) break;
    next.delete(id);
  }
  log.value = next;
}

/** takeAnswer puts the answer of a request into the log, unless the event stream was faster. */
export function takeAnswer(write: Write): void {
  takeWrite(write);
}

async function refreshLog(device: string): Promise<void> {
  try {
    const kept = await api.writes(device, 200);
    if (device === wanted) batch(() => (log.value = new Map(kept.map((w) => [w.id, w]))));
  } catch {
    return;
  }
}

/**
 * unreachable is why a press cannot be sent now, in words; '' when it can. Some commands are for the gateway and need no device,
 * and those of pairing are for a device that waits.
 */
export function unreachable(device: string, needsLink = true, path = ''): string {
  if (gateway.value.state !== 'up') return 'Not sent: the page has no contact with the gateway.';
  if (!needsLink) return '';
  const state = entry(device, '_link/state')?.point.value?.value;
  if (state === 'waiting') return isPairing(path) ? '' : 'Not sent: the device waits for a person, as the bar says.';
  if (state !== undefined && state !== null && state !== 'up') return 'Not sent: the gateway has no connection to the device.';
  return '';
}
