import { useState } from 'preact/hooks';
import type { Entry } from '../../store/store.ts';
import type { Roles } from '../../store/find.ts';
import { byAxis, last, parent } from '../../model/tree.ts';
import { LoadBar } from '../../ui/bar.tsx';
import { Name, Value } from '../../ui/value.tsx';

const kinds = [
  ['cnc.position.absolute', 'Absolute'],
  ['cnc.position.relative', 'Relative'],
  ['cnc.position.machine', 'Machine'],
  ['cnc.position.distance-to-go', 'Distance to go'],
] as const;

/** Position is one row for each axis, with the digits of the control's own screen; the kind is chosen above. */
export function Position({ roles, path }: { roles: Roles; path: string }) {
  const have = kinds.filter(([role]) => roles.list(role, path).length > 0);
  const [wanted, setWanted] = useState<string>(kinds[0][0]);
  const kind = have.some(([role]) => role === wanted) ? wanted : have[0]?.[0];
  if (!kind) return null;
  const loads = new Map(roles.list('cnc.axis.load', path).map((e) => [parent(e.path), e]));
  const axes = [...roles.list(kind, path)].sort((a, b) => byAxis(last(parent(a.path)), last(parent(b.path))));
  return (
    <section class={`card position axes-${Math.min(axes.length, 9)}`} aria-label="Position">
      <div class="segments" role="group" aria-label="Kind of position">
        {have.map(([role, name]) => (
          <button type="button" key={role} aria-pressed={role === kind} onClick={() => setWanted(role)}>
            {name}
          </button>
        ))}
      </div>
      <ul>
        {axes.map((e) => (
          <Axis key={e.path} e={e} load={loads.get(parent(e.path))} />
        ))}
      </ul>
    </section>
  );
}

function Axis({ e, load }: { e: Entry; load: Entry | undefined }) {
  return (
    <li class="axis">
      <Name e={e}>{last(parent(e.path)).toUpperCase()}</Name>
      <Value e={e} />
      {load && <LoadBar e={load} name="load" />}
    </li>
  );
}
