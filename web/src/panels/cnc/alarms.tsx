import { useEffect, useRef } from 'preact/hooks';
import type { Entry } from '../../store/store.ts';
import { announce } from '../../store/announce.ts';
import { now, pageTime } from '../../store/clock.ts';
import type { Roles } from '../../store/find.ts';
import type { Row } from '../../api/types.ts';
import { alarmOf } from '../../model/cnc.ts';
import { stamp } from '../../model/format.ts';
import { Mark } from '../../ui/mark.tsx';
import { Name } from '../../ui/value.tsx';

const rowsOf = (e: Entry): Row[] => {
  const value = e.point.value?.value;
  return Array.isArray(value) ? value : [];
};

/** Alarms are written as the control writes them, newest first, never cut. */
export function Alarms({ device, roles }: { device: string; roles: Roles }) {
  const lists = roles.list('cnc.alarms');
  const alarms = lists.flatMap((e) => rowsOf(e).map((row) => alarmOf(row)));
  const known = useRef<Set<string> | null>(null);
  const all = alarms.map((a) => a.line);
  const text = all.join('\n');
  useEffect(() => {
    const fresh = all.filter((line) => known.current && !known.current.has(line));
    if (fresh.length > 0) announce(`${device}, alarm: ${fresh.join('; ')}`);
    known.current = new Set(all);
  }, [text]);

  const first = lists[0];
  if (!first || alarms.length === 0) return null;
  const old = first.point.value?.quality === 'bad';
  return (
    <section class={`alarms ${old ? 'bad' : ''}`} aria-label="Alarms">
      <h2>
        <Mark kind="alarm" />
        <Name e={first}>{alarms.length === 1 ? 'Alarm' : `${alarms.length} alarms`}</Name>
      </h2>
      <ul>
        {alarms.map((a) => {
          const since = pageTime(a.since);
          return (
            <li key={a.line}>
              <span class="alarmline">{a.line}</span>
              {since > 0 && <span class="quiet since">since {stamp(since, now.value)}</span>}
            </li>
          );
        })}
      </ul>
    </section>
  );
}

/** Messages are what the machine asks of its operator. */
export function Messages({ roles }: { roles: Roles }) {
  const lists = roles.list('cnc.messages');
  const rows = lists.flatMap(rowsOf);
  const first = lists[0];
  if (!first || rows.length === 0) return null;
  return (
    <section class={`messages ${first.point.value?.quality === 'bad' ? 'bad' : ''}`} aria-label="Operator messages">
      <h2>
        <Name e={first}>Message</Name>
      </h2>
      <ul>
        {rows.map((row, i) => (
          <li key={i}>{alarmOf(row).line}</li>
        ))}
      </ul>
    </section>
  );
}
