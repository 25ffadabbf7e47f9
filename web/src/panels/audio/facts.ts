import type { Entry } from '../../store/store.ts';
import { gateway } from '../../api/events.ts';
import type { Roles } from '../../store/find.ts';
import { last, parent } from '../../model/tree.ts';
import { words } from '../../model/format.ts';
import { levelOf, rangeOf } from '../../model/audio.ts';

/** Channels gathers the points of a device by the container that they stand in. */
export class Channels {
  private readonly by = new Map<string, Map<string, Entry>>();
  private readonly named = new Map<string, Entry>();

  constructor(roles: Roles) {
    for (const e of roles.all) {
      this.named.set(e.path, e);
      const role = e.spec.peek().role;
      if (!role?.startsWith('audio.')) continue;
      const at = parent(e.path);
      let one = this.by.get(at);
      if (!one) this.by.set(at, (one = new Map()));
      if (!one.has(role)) one.set(role, e);
    }
  }

  /** of is the point of a role in one container. */
  of(at: string, role: string): Entry | undefined {
    return this.by.get(at)?.get(role);
  }

  /** beside is a point by its name, for what has no role. */
  beside(at: string, name: string): Entry | undefined {
    return this.named.get(`${at}/${name}`);
  }

  /** those lists the containers that hold any of the given roles. */
  those(...roles: string[]): string[] {
    return [...this.by].filter(([, has]) => roles.some((r) => has.has(r))).map(([at]) => at);
  }
}

/** nameOf is how a channel, or the pair that begins with it, is called: by what somebody named it, by the device, or by its path. */
export function nameOf(channels: Channels, at: string, pair = false): string {
  const given = channels.of(at, 'audio.name')?.point.value?.value;
  if (typeof given === 'string' && given.trim()) return given;
  return (pair && told(channels, at, 'stereo-name')) || told(channels, at, 'name') || words(last(at));
}

/** told is what the device says of a channel in an attribute of its points. */
function told(channels: Channels, at: string, attribute: string): string {
  for (const role of ['audio.name', 'audio.meter', 'audio.gain', 'audio.air', 'audio.mute', 'audio.line-mode', 'audio.output.source']) {
    const text = channels.of(at, role)?.spec.peek().attributes?.[attribute];
    if (text) return text;
  }
  return '';
}

/** levelNow is the level that a point says, -Infinity for silence. */
export function levelNow(e: Entry): number {
  const point = e.point.value;
  return levelOf(point?.value, point?.text, rangeOf(e.spec.value));
}

/** on is a switch that is on for sure. */
export const on = (e: Entry | undefined): boolean => e?.point.value?.value === true && e.point.value.quality !== 'bad' && gateway.value.state !== 'lost';

/** byDevice says that the hardware alone sets a level, so that nothing here may look as if it could. */
export function byDevice(channels: Channels, e: Entry): boolean {
  return !e.spec.value.access?.includes('w') || on(channels.beside(parent(e.path), 'hardware-control'));
}

/** whyFixed is why a level cannot be set here: short for a row, and in the words of the device's driver, '' when it gives none. */
export function whyFixed(e: Entry): { short: string; long: string } {
  const said = e.spec.value.attributes ?? {};
  return { short: said['enabled'] === 'false' ? 'not available now' : 'set on the device', long: said['read-only'] ?? '' };
}

/** linkOf is the switch that makes a pair of a channel and the next. */
export const linkOf = (channels: Channels, at: string): Entry | undefined => channels.beside(at, 'stereo');

/** linked says that a channel and the next are a pair, of which the first counts for both. */
export const linked = (channels: Channels, at: string): boolean => on(linkOf(channels, at));

/**
 * leads says that a channel may be the first of a pair: where the device names its channels it names the pair beside it, else
 * it is every other one. What the second says of itself counts for nothing.
 */
export function leads(e: Entry, place: number): boolean {
  const words = e.spec.peek().attributes ?? {};
  return words['name'] ? Boolean(words['stereo-name']) : place % 2 === 0;
}
