import { devices } from '../store/store.ts';
import { now, pageTime } from '../store/clock.ts';
import { linkOf, rolesOf } from '../store/find.ts';
import { cause, linkWords } from '../model/link.ts';
import { stamp } from '../model/format.ts';
import { last } from '../model/tree.ts';
import type { Entry } from '../store/store.ts';
import { Paired } from '../ui/pairing.tsx';
import { Name, Value } from '../ui/value.tsx';

const told = new Set(['state', 'error', 'error-class', 'hint', 'since', 'next-attempt', 'condition', 'condition-text']);

/** LinkView says how the conversation with the device goes: what was tried, what came back, what to check; and all counters. */
export function LinkView({ device }: { device: string }) {
  const about = devices.value?.find((d) => d.name === device);
  const link = linkOf(device);
  const counters = rolesOf(device).all.filter((e) => e.path.startsWith('_link/') && !told.has(last(e.path)));
  return (
    <section class="linkview" aria-label="Link">
      <dl class="facts wide">
        <Fact name="State" text={linkWords(link, now.value)} />
        {link.since > 0 && <Fact name="Since" text={stamp(link.since, now.value)} />}
        <Fact name="Address" text={about?.url ?? ''} />
        <Fact name="Driver" text={about?.title ? `${about.title} (${about.driver})` : (about?.driver ?? '')} />
        {link.error && <Fact name="What came back" text={`${link.error} (${cause(link.errorClass)})`} />}
        {link.hint && <Fact name="What to check" text={link.hint} />}
        {link.condition && <Fact name="Waiting for" text={link.condition} />}
      </dl>
      <Paired device={device} />
      <dl class="readings">
        {counters.map((e) => (
          <Counter key={e.path} e={e} />
        ))}
      </dl>
    </section>
  );
}

function Counter({ e }: { e: Entry }) {
  const spec = e.spec.value;
  const value = e.point.value?.value;
  const time = spec.kind === 'string' && typeof value === 'string' && /^\d{4}-\d\d-\d\dT/.test(value) ? pageTime(value) : 0;
  return (
    <div class="reading">
      <dt>
        <Name e={e}>{spec.title || last(e.path).replaceAll('-', ' ')}</Name>
      </dt>
      <dd>{time ? <span class="digits">{stamp(time, now.value)}</span> : <Value e={e} />}</dd>
    </div>
  );
}

function Fact({ name, text }: { name: string; text: string }) {
  if (!text) return null;
  return (
    <div>
      <dt>{name}</dt>
      <dd>{text}</dd>
    </div>
  );
}
