import type { Entry, Shelf } from './store.ts';
import { devices, entry, shelf } from './store.ts';
import { pageTime } from './clock.ts';
import { words } from '../model/format.ts';
import { byPath, containerOf } from '../model/tree.ts';
import type { LinkFacts } from '../model/link.ts';
import type { MachineFacts } from '../model/cnc.ts';

/** Roles is an index of the points of one device by role, each list in path order. */
export class Roles {
  private readonly lists = new Map<string, Entry[]>();
  readonly all: Entry[];

  constructor(entries: Iterable<Entry>) {
    this.all = [...entries].sort((a, b) => byPath(a.path, b.path));
    for (const e of this.all) {
      const role = e.spec.peek().role;
      if (!role) continue;
      const list = this.lists.get(role);
      if (list) list.push(e);
      else this.lists.set(role, [e]);
    }
  }

  /** list is every point of a role, within one container when given. */
  list(role: string, under = ''): Entry[] {
    const list = this.lists.get(role) ?? [];
    return under ? list.filter((e) => e.path.startsWith(`${under}/`)) : list;
  }

  one(role: string, under = ''): Entry | undefined {
    return this.list(role, under)[0];
  }

  /** containers lists the numbered containers of one kind that hold any point with a role of the given family. */
  containers(kind: string, family: string): string[] {
    const found = new Set<string>();
    for (const [role, list] of this.lists) {
      if (!role.startsWith(family)) continue;
      for (const e of list) {
        const c = containerOf(e.path, kind);
        if (c) found.add(c);
      }
    }
    return [...found].sort(byPath);
  }
}

const indexes = new WeakMap<Shelf, { shape: number; roles: Roles }>();
const nothing = new Roles([]);

/** rolesOf indexes a device; the caller re-renders when its set of points changes. The same set gives the same index. */
export function rolesOf(device: string): Roles {
  const s = shelf(device);
  if (!s) return nothing;
  const shape = s.shape.value;
  let known = indexes.get(s);
  if (known?.shape !== shape) indexes.set(s, (known = { shape, roles: new Roles(s.entries.values()) }));
  return known.roles;
}

// What tells a kind of device that its driver does not name.
const signs: [string, string][] = [
  ['cnc.execution', 'cnc'],
  ['av.program', 'switcher'],
  ['serial.state', 'serial'],
  ['audio.monitor.level', 'audio'],
  ['audio.mix.gain', 'audio'],
  ['audio.air', 'audio'],
];

/** panelOf is the kind of panel that a device gets: what its driver says, or what its roles tell; '' is the plain one. */
export function panelOf(device: string): string {
  const told = devices.value?.find((d) => d.name === device)?.panel ?? '';
  const roles = rolesOf(device);
  return signs.some(([, kind]) => kind === told) ? told : (signs.find(([role]) => roles.one(role))?.[1] ?? '');
}

const textOf = (e: Entry | undefined): string => {
  const value = e?.point.value?.value;
  return value === null || value === undefined ? '' : String(value);
};

/** linkOf takes the live link points, and before they arrive what the list of devices said. */
export function linkOf(device: string): LinkFacts {
  const told = devices.value?.find((d) => d.name === device)?.link;
  const point = (name: string) => textOf(entry(device, `_link/${name}`));
  const time = (name: string, fallback: string | undefined) => pageTime(point(name) || fallback || 0);
  const state = point('state') || told?.state || '';
  // A list that is older than the newest state says nothing about its cause.
  const fresh = told && told.state === state ? told : undefined;
  return {
    state,
    since: time('since', fresh?.since),
    error: point('error') || fresh?.error || '',
    errorClass: point('error-class') || fresh?.error_class || '',
    hint: point('hint') || fresh?.hint || '',
    nextAttempt: time('next-attempt', fresh?.next_attempt),
    condition: point('condition-text') || words(point('condition') || fresh?.condition || ''),
    conditionCode: point('condition') || fresh?.condition || '',
  };
}

/** factsOf collects what the plain word of a machine, or of one path of it, depends on. */
export function factsOf(roles: Roles, linkState: string, under = ''): MachineFacts {
  const word = (role: string) => {
    const e = roles.one(role, under) ?? roles.one(role);
    return e?.point.value?.quality === 'bad' ? '' : textOf(e);
  };
  const alarms = roles.one('cnc.alarm-count')?.point.value;
  return {
    link: linkState === 'up',
    execution: word('cnc.execution'),
    mode: word('cnc.controller-mode'),
    emergency: word('cnc.emergency-stop'),
    alarms: alarms?.quality === 'bad' ? 0 : Number(alarms?.value ?? 0),
  };
}
