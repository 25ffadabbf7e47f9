import { shelf, type Entry } from '../store/store.ts';
import { inspect } from '../store/inspect.ts';
import { attemptOf, visitorOf } from '../store/writing.ts';
import { words } from '../model/format.ts';
import type { Point, Spec } from '../api/types.ts';

/** shown is the value as a person reads it; a dash where there is none. */
export function shown(spec: Spec, point: Point | null): string {
  if (!point || point.value === null || point.value === undefined) return '–';
  if (spec.kind === 'list') {
    const count = Array.isArray(point.value) ? point.value.length : 0;
    return count === 0 ? 'none' : `${count} ${count === 1 ? 'entry' : 'entries'}`;
  }
  if (spec.kind === 'bool') return point.value ? 'on' : 'off';
  if (spec.kind === 'enum') return enumText(spec, point);
  const text = point.text ?? String(point.value);
  // A typographic minus is as wide as a digit.
  return spec.kind === 'int' || spec.kind === 'float' ? text.replace(/^-/, '−') : text || '–';
}

/** enumText is the label's text, which may be blank where the device's own screen shows nothing. */
export function enumText(spec: Spec, point: Point | null): string {
  if (!point) return '';
  const label = shelf(spec.device)?.labels[spec.labels ?? '']?.find((l) => l.key === point.value);
  return label ? label.text || '\u00a0' : point.label || point.text || String(point.value ?? '');
}

interface Props {
  e: Entry;
  unit?: boolean;
  /** Says the reason of a bad value in words beside it. Off where the whole device is lost and says so once. */
  why?: boolean;
  class?: string;
  /** Another way of writing the same value, such as h:mm:ss; the unit is then part of it. */
  written?: string;
}

/** Value shows what the device says, with its trust: hatched when bad, a hollow mark when uncertain. */
export function Value({ e, unit = true, why = true, class: cls = '', written }: Props) {
  const spec = e.spec.value;
  const point = e.point.value;
  const quality = point?.quality ?? 'bad';
  const reason = point ? (point.reason ?? '') : 'no value yet';
  const empty = point?.value === null || point?.value === undefined;
  const absent = reason === 'unsupported' || (quality === 'bad' && empty && reason !== 'link-down');
  const text = reason === 'unsupported' ? '–' : written || shown(spec, point);
  const pending = attemptOf(e.device, e.path).value;
  const visitor = visitorOf(e.device, e.path).value;
  const numeric = spec.kind === 'int' || spec.kind === 'float';
  return (
    <span
      class={`value ${quality} ${absent ? 'absent' : ''} ${pending && !pending.final ? 'pending' : ''} ${cls}`}
      title={quality === 'good' ? undefined : `${quality}: ${words(reason)}`}
    >
      {quality === 'uncertain' && <span class="hollow" aria-hidden="true" />}
      <span class={numeric ? 'digits' : 'said'}>{text}</span>
      {unit && !written && spec.unit && text !== '–' && <span class="unit"> {spec.unit}</span>}
      {why && quality !== 'good' && !absent && reason !== 'link-down' && <span class="why"> {words(reason)}</span>}
      {absent && <span class="spoken"> {words(reason)}</span>}
      {visitor && <span class="visitor"> {visitor}</span>}
    </span>
  );
}

/** Name is the label of a reading; pressing it opens the details of the point. */
export function Name({ e, children }: { e: Entry; children?: preact.ComponentChildren }) {
  const spec = e.spec.value;
  return (
    <button type="button" class="name" title={e.path} onClick={() => inspect(e.device, e.path)}>
      {children ?? spec.title ?? e.path}
    </button>
  );
}

/** Reading is a name and a value on one line; nothing when the device has no such point. */
export function Reading({ e, name, written }: { e: Entry | undefined; name: string; written?: string }) {
  if (!e) return null;
  return (
    <div class="reading">
      <dt>
        <Name e={e}>{name}</Name>
      </dt>
      <dd>
        <Value e={e} written={written} />
      </dd>
    </div>
  );
}
