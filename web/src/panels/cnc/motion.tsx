import type { Entry } from '../../store/store.ts';
import type { Roles } from '../../store/find.ts';
import { last, parent } from '../../model/tree.ts';
import { LoadBar } from '../../ui/bar.tsx';
import { Name, Value } from '../../ui/value.tsx';

/** Motion is feed and spindles as a table: actual, commanded, override. */
export function Motion({ roles, path, spindles }: { roles: Roles; path: string; spindles: boolean }) {
  const feed = roles.one('cnc.feed.actual', path);
  const rapid = roles.one('cnc.rapid.override', path);
  const speeds = spindles ? roles.list('cnc.spindle.speed') : [];
  const ofSpindle = (role: string, e: Entry) => roles.list(role).find((other) => parent(other.path) === parent(e.path));
  const showFeed = feed && path === '' ? roles.containers('path', 'cnc.').length === 0 : feed !== undefined;
  if (!showFeed && speeds.length === 0) return null;
  return (
    <section class="card motion" aria-label="Feed and spindle">
      <table>
        <thead>
          <tr>
            <th scope="col">
              <span class="spoken">what</span>
            </th>
            <th scope="col">actual</th>
            <th scope="col">commanded</th>
            <th scope="col">override</th>
          </tr>
        </thead>
        <tbody>
          {showFeed && feed && (
            <Row
              name="Feed"
              actual={feed}
              commanded={roles.one('cnc.feed.commanded', path)}
              override={roles.one('cnc.feed.override', path)}
            />
          )}
          {showFeed && rapid && <Row name="Rapid" override={rapid} />}
          {speeds.map((e) => (
            <Row
              key={e.path}
              name={`S${last(parent(e.path))}`}
              actual={e}
              commanded={ofSpindle('cnc.spindle.commanded', e)}
              override={ofSpindle('cnc.spindle.override', e)}
            />
          ))}
        </tbody>
      </table>
      {speeds.map((e) => {
        const load = ofSpindle('cnc.spindle.load', e);
        return load && <LoadBar key={load.path} e={load} name={`S${last(parent(e.path))} load`} />;
      })}
    </section>
  );
}

interface RowProps {
  name: string;
  actual?: Entry;
  commanded?: Entry | undefined;
  override?: Entry | undefined;
}

function Row({ name, actual, commanded, override }: RowProps) {
  const first = actual ?? commanded ?? override;
  return (
    <tr>
      <th scope="row">
        {first && <Name e={first}>{name}</Name>}
        {actual?.spec.value.unit && <span class="unit"> {actual.spec.value.unit}</span>}
      </th>
      <td class="main">{actual && <Value e={actual} unit={false} />}</td>
      <td>{commanded && <Value e={commanded} unit={false} />}</td>
      <td>{override && <Value e={override} />}</td>
    </tr>
  );
}
