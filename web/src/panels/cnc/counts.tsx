import type { Entry } from '../../store/store.ts';
import type { Roles } from '../../store/find.ts';
import { elapsed } from '../../model/format.ts';
import { containerOf } from '../../model/tree.ts';
import { Name, Reading, Value } from '../../ui/value.tsx';

const timers = [
  ['cnc.timer.cycle', 'Cycle'],
  ['cnc.timer.cutting', 'Cutting'],
  ['cnc.timer.operating', 'Operating'],
  ['cnc.timer.power-on', 'Power on'],
] as const;

/** Counts is tool, parts and times of the given paths; '' stands for what belongs to the machine as a whole. */
export function Counts({ roles, of }: { roles: Roles; of: readonly string[] }) {
  const one = (role: string) => roles.list(role).find((e) => of.includes(containerOf(e.path, 'path')));
  const made = one('cnc.part-count');
  const target = one('cnc.part-target');
  const times = timers.map(([role, name]) => [one(role), name] as const).filter(([e]) => e);
  const tool = one('cnc.tool');
  const total = one('cnc.part-total');
  if (!made && !tool && !total && times.length === 0) return null;
  return (
    <section class="card counts" aria-label="Tool, parts and times">
      <dl class="readings">
        <Reading e={tool} name="Tool" />
        {made && (
          <div class="reading">
            <dt>
              <Name e={made}>Parts</Name>
            </dt>
            <dd>
              <Value e={made} />
              {target && Number(target.point.value?.value ?? 0) > 0 && (
                <span class="of">
                  {' of '}
                  <Value e={target} />
                </span>
              )}
            </dd>
          </div>
        )}
        <Reading e={total} name="Parts in all" />
        {times.map(([e, name]) => e && <Timer key={e.path} e={e} name={name} />)}
      </dl>
    </section>
  );
}

function Timer({ e, name }: { e: Entry; name: string }) {
  const point = e.point.value;
  const text = typeof point?.value === 'number' ? elapsed(point.value, e.spec.value.unit ?? '') : '';
  return (
    <div class="reading">
      <dt>
        <Name e={e}>{name}</Name>
      </dt>
      <dd>
        <Value e={e} written={text} />
      </dd>
    </div>
  );
}
