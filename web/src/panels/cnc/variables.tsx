import type { Roles } from '../../store/find.ts';
import { attemptOf, wentWrong } from '../../store/writing.ts';
import type { Entry } from '../../store/store.ts';
import { Name, Value } from '../../ui/value.tsx';

const families = [
  ['cnc.macro', 'Macros'],
  ['cnc.offset', 'Offsets'],
  ['cnc.parameter', 'Parameters'],
  ['cnc.diagnosis', 'Diagnosis'],
  ['cnc.pmc', 'PMC'],
] as const;

/** Variables are the numbers somebody chose to watch. They are written in the details, with a hold where that is due. */
export function Variables({ roles }: { roles: Roles }) {
  const shown = families.map(([role, name]) => [name, roles.list(role)] as const).filter(([, list]) => list.length > 0);
  return (
    <>
      {shown.map(([name, list]) => (
        <section class="card variables" key={name} aria-label={name}>
          <h2>{name}</h2>
          <dl class="readings">
            {list.slice(0, 60).map((e) => (
              <Variable key={e.path} e={e} />
            ))}
          </dl>
          {list.length > 60 && <p class="quiet">{list.length - 60} more in Points</p>}
        </section>
      ))}
    </>
  );
}

function Variable({ e }: { e: Entry }) {
  const spec = e.spec.value;
  const attempt = attemptOf(e.device, e.path).value;
  const short = e.path.split('/').slice(1).join('/') || e.path;
  // A plain number or address is what people know a variable by; a path of several parts needs its title instead.
  const number = !short.includes('/') || !spec.title;
  const said = spec.title && !(number && spec.title.toLowerCase().includes(short.toLowerCase())) ? spec.title : '';
  return (
    <div class="reading">
      <dt>
        <Name e={e}>
          {number && <span class="digits">{short} </span>}
          {said}
        </Name>
        {spec.writable && <span class="flag">set</span>}
      </dt>
      <dd>
        {attempt && wentWrong(attempt) && <span class="refusal">{attempt.stage} </span>}
        <Value e={e} />
      </dd>
    </div>
  );
}
