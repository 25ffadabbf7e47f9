import type { Command } from '../api/types.ts';
import type { Entry } from '../store/store.ts';
import { now, pageTime } from '../store/clock.ts';
import { rolesOf } from '../store/find.ts';
import { guard } from '../store/lock.ts';
import { attemptOf, perform, touch } from '../store/writing.ts';
import { clientsOf } from '../model/clients.ts';
import { span, stamp } from '../model/format.ts';
import { last } from '../model/tree.ts';
import { useCommands } from '../ui/commands.tsx';
import { Forbidden, Outcome } from '../ui/control.tsx';
import { press } from '../ui/press.ts';
import { Name, Reading, Value } from '../ui/value.tsx';

/** Clients is who else uses this device through patchbay, in the device's own language. */
export function Clients({ device }: { device: string }) {
  const all = rolesOf(device).all;
  const { list } = useCommands(device);
  const { own, clients, columns } = clientsOf(all);
  const ends = new Map(list.filter((c) => c.path.startsWith('_clients/')).map((c) => [c.path, c]));
  const forbidden = [...ends.values()].find((c) => !c.writable);
  if (own.length === 0 && clients.length === 0) {
    return <p class="quiet pad">No program uses {device} through patchbay: this device is not served to others.</p>;
  }
  return (
    <section class="clients" aria-label="Clients">
      {own.length > 0 && (
        <dl class="readings">
          {own.map((e) => (
            <Reading key={e.path} e={e} name={e.spec.value.title || last(e.path).replaceAll('-', ' ')} />
          ))}
        </dl>
      )}
      {clients.length === 0 ? (
        <p class="quiet pad">No program is connected.</p>
      ) : (
        <div class="scroll">
          <table class="rows">
            <thead>
              <tr>
                {columns.map((c) => (
                  <th key={c.name}>{c.title}</th>
                ))}
                {ends.size > 0 && <th class="spoken">Action</th>}
              </tr>
            </thead>
            <tbody>
              {clients.map((client) => {
                const end = ends.get(`${client.path}/disconnect`);
                return (
                  <tr key={client.path}>
                    {columns.map(({ name, title }) => {
                      const e = client.points.get(name);
                      return (
                        <td key={name} data-title={title}>
                          {e && <Cell e={e} name={name} />}
                        </td>
                      );
                    })}
                    {ends.size > 0 && <td>{end && <Disconnect device={device} c={end} who={text(client.points.get('address')) || client.path} />}</td>}
                  </tr>
                );
              })}
            </tbody>
          </table>
        </div>
      )}
      {forbidden && <Forbidden what="Disconnecting is not allowed" device={device} path="_clients/*/disconnect" given={forbidden.writable_key} />}
    </section>
  );
}

const text = (e: Entry | undefined): string => String(e?.point.value?.value ?? '');

function Cell({ e, name }: { e: Entry; name: string }) {
  if (name === 'address') return <Name e={e}>{text(e) || '–'}</Name>;
  const at = name === 'since' ? pageTime(text(e)) : 0;
  return at ? <span title={stamp(at, now.value)}>{span(now.value - at)}</span> : <Value e={e} />;
}

/** Disconnect ends one connection. The program may come back at once; its permission is a matter of the configuration. */
function Disconnect({ device, c, who }: { device: string; c: Command; who: string }) {
  if (!c.writable) return null;
  const attempt = attemptOf(device, c.path).value;
  const busy = attempt !== null && !attempt.final;
  const run = () => {
    if (busy || !guard(device)) return;
    touch(device, c.path);
    void perform(device, c.path, {}, { needsLink: false });
  };
  return (
    <>
      <button type="button" class={`small ${busy ? 'sent' : ''}`} aria-label={`Disconnect ${who}`} {...press(run)}>
        Disconnect
      </button>
      <Outcome device={device} path={c.path} />
    </>
  );
}
