import type { Entry } from '../../store/store.ts';
import { gateway } from '../../api/events.ts';
import type { Roles } from '../../store/find.ts';
import { framesPerSecond, groupOf, numberOf, sourcesOf, tallyOf, type Source, type Tally } from '../../model/switcher.ts';
import { labelsOf } from '../../ui/pick.tsx';

/** said is a value that can be trusted now; undefined when it cannot. */
export function said(e: Entry | undefined): unknown {
  const point = e?.point.value;
  if (!point || point.quality === 'bad' || gateway.value.state === 'lost') return undefined;
  return point.value;
}

/** textOf is the text of what a point says, whether it can be trusted or not. */
export const textOf = (e: Entry | undefined): string => String(e?.point.value?.value ?? '');

/** Tallies are the switcher's own tally points by source. */
export function talliesOf(roles: Roles): Map<string, Entry> {
  return new Map(roles.list('av.tally').map((e) => [numberOf(groupOf(e.path)), e]));
}

/** tallyAt is the tally of one source now, or null when nobody can tell. */
export function tallyAt(tallies: Map<string, Entry>, key: string): Tally | null {
  const value = said(tallies.get(key));
  return value === undefined || value === null ? null : tallyOf(value);
}

/** busSources are the buttons of a bus: what can be chosen there, in their order. */
export function busSources(roles: Roles, bus: Entry): Source[] {
  const available = new Map(roles.list('av.input.available').map((e) => [numberOf(groupOf(e.path)), e.point.value?.value !== false]));
  return sourcesOf(labelsOf(bus), (key) => available.get(key) ?? available.size === 0);
}

/** fpsOf is the frame rate that rates are written in; 0 unknown. */
export function fpsOf(roles: Roles): number {
  const mode = roles.one('av.video-mode')?.point.value;
  return framesPerSecond(mode?.label ?? String(mode?.value ?? ''));
}

/** within is one point of a role in exactly this container, and in none below it. */
export function within(roles: Roles, role: string, group: string): Entry | undefined {
  return roles.list(role).find((e) => groupOf(e.path) === group);
}
