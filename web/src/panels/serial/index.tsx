import type { Entry } from '../../store/store.ts';
import { rolesOf, type Roles } from '../../store/find.ts';
import { route } from '../../store/route.ts';
import { groupOf, numberOf } from '../../model/switcher.ts';
import { Permission } from '../../ui/permission.tsx';
import { useCommands } from '../../ui/commands.tsx';
import { Reading, Value } from '../../ui/value.tsx';
import { Mark } from '../../ui/mark.tsx';
import { middle } from '../../model/format.ts';
import { lineText, Port } from './port.tsx';

/** SerialPanel is a box of serial ports: all of them as rows, and the chosen one with its terminal. */
export function SerialPanel({ device }: { device: string }) {
  const roles = rolesOf(device);
  const { list } = useCommands(device);
  const ports = portsOf(roles);
  const { port, wall } = route.value;
  const chosen = ports.find((p) => numberOf(p) === port) ?? (ports.length === 1 || wall ? undefined : ports[0]);
  const only = ports.length === 1 ? ports[0] : undefined;
  const shown = only ?? chosen;
  return (
    <div class="serial">
      {wall && <strong class="wallname">{middle(device, 30)}</strong>}
      {(ports.length > 1 || wall) && (
        <nav class="card ports" aria-label="Ports">
          <ul>
            {ports.map((p) => (
              <li key={p}>
                <Row roles={roles} at={p} device={device} chosen={p === shown && !wall} />
              </li>
            ))}
          </ul>
        </nav>
      )}
      {shown && !wall && <Port key={shown} device={device} roles={roles} at={shown} commands={list} />}
      {ports.length === 0 && <p class="quiet">The device has told no ports yet.</p>}
      <About roles={roles} />
      <Permission device={device} family="serial." />
    </div>
  );
}

/** portsOf are the containers that hold a serial port. */
export function portsOf(roles: Roles): string[] {
  const of = (role: string) => roles.list(role).map((e) => groupOf(e.path));
  return [...new Set([...of('serial.state'), ...of('serial.baud'), ...of('serial.cts')])].filter((p) => p !== '' && !p.startsWith('_'));
}

function About({ roles }: { roles: Roles }) {
  const all: [Entry | undefined, string][] = [[roles.one('id.model'), 'Model'], [roles.one('id.version'), 'Firmware'], [roles.one('id.serial'), 'Serial number']];
  if (all.every(([e]) => !e)) return null;
  return (
    <dl class="card readings about">
      {all.map(([e, name]) => (
        <Reading key={name} e={e} name={name} />
      ))}
    </dl>
  );
}

interface RowProps {
  roles: Roles;
  at: string;
  device: string;
  chosen: boolean;
}

/** Row is one port: its number, state, line settings and owner. */
function Row({ roles, at, device, chosen }: RowProps) {
  const one = (role: string) => roles.list(role).find((e) => groupOf(e.path) === at);
  const state = one('serial.state');
  const owner = one('serial.owner');
  const n = numberOf(at);
  return (
    <a class={`portrow ${chosen ? 'chosen' : ''}`} href={`/d/${encodeURIComponent(device)}?port=${n}`} aria-current={chosen ? 'true' : undefined}>
      <strong class="digits">{n}</strong>
      {state ? <StateWord e={state} /> : <span />}
      <span class="line digits">{lineText(one('serial.baud'), one('serial.format'))}</span>
      <span class="portowner">{owner && owner.point.value?.value ? <Value e={owner} /> : <span class="quiet">nobody</span>}</span>
    </a>
  );
}

/** StateWord is the state of a port with its shape: a lost one is hatched, a busy one amber. */
export function StateWord({ e }: { e: Entry }) {
  const point = e.point.value;
  const key = String(point?.value ?? '').toLowerCase();
  const bad = point?.quality === 'bad' || key === 'lost' || point?.value === null;
  const tone = bad ? 'lost' : key === 'open' ? 'green' : key === 'busy' ? 'amber' : 'off';
  return (
    <span class={`plate ${tone}`}>
      {bad && <Mark kind="lost" />}
      {point?.label ?? (key || 'not known')}
    </span>
  );
}
