import { useEffect, useRef } from 'preact/hooks';
import { factsOf, type Roles } from '../../store/find.ts';
import { announce } from '../../store/announce.ts';
import { route } from '../../store/route.ts';
import { plainState } from '../../model/cnc.ts';
import { clockText, middle } from '../../model/format.ts';
import { Mark } from '../../ui/mark.tsx';
import { enumText, Name, Value } from '../../ui/value.tsx';

// In the order of the control's own status line.
const line = [
  ['cnc.status.mode', 'mode'],
  ['cnc.status.run', 'run'],
  ['cnc.status.motion', 'motion'],
  ['cnc.status.mstb', 'M S T B'],
  ['cnc.status.emergency', 'emergency'],
  ['cnc.status.alarm', 'alarm'],
  ['cnc.status.edit', 'edit'],
] as const;

// Switches that change how the program runs; one that is off says nothing.
const switches = [
  ['cnc.panel.single-block', 'SINGLE BLOCK'],
  ['cnc.panel.dry-run', 'DRY RUN'],
  ['cnc.panel.machine-lock', 'MACHINE LOCK'],
  ['cnc.panel.block-delete', 'BLOCK DELETE'],
] as const;

interface Props {
  device: string;
  roles: Roles;
  link: string;
  path: string;
  several: boolean;
}

/** Status is the first line of the control, and beside it one plain word for everyone else. */
export function Status({ device, roles, link, path, several }: Props) {
  const state = plainState(factsOf(roles, link, path));
  const before = useRef(state.word);
  useEffect(() => {
    if (before.current !== state.word && (state.tone === 'red' || state.tone === 'lost')) announce(`${device}: ${state.word}`);
    before.current = state.word;
  }, [device, state.word, state.tone]);

  const words = line.flatMap(([role, name]) => {
    const e = roles.one(role, path);
    if (!e) return [];
    const point = e.point.value;
    const text = enumText(e.spec.value, point);
    // Where the control's own line is blank, a lone name would look like a fault.
    return text.trim() || point?.quality !== 'good' ? [{ role, name, e, text }] : [];
  });
  const on = switches.flatMap(([role, name]) => {
    const e = roles.one(role, path);
    return e?.point.value?.value === true ? [{ role, name, e, quality: e.point.value.quality }] : [];
  });
  const clock = several ? undefined : roles.one('cnc.clock');
  return (
    <header class="status">
      <p class={`plate big ${state.tone}`}>
        <Mark kind={state.mark} />
        {state.word}
      </p>
      <div class="ownwords">
        {route.value.wall && <strong class="wallname">{middle(device, 30)}</strong>}
        {several && <strong>{path.replace('/', ' ')}</strong>}
        {words.map(({ role, name, e, text }) => {
          const loud = (role === 'cnc.status.alarm' && state.mark === 'alarm') || (role === 'cnc.status.emergency' && state.mark === 'stop');
          return (
            <span key={role} class={`own ${loud && /[A-Z]/.test(text) ? 'red' : ''}`}>
              <Name e={e}>{name}</Name>
              <Value e={e} />
            </span>
          );
        })}
        {on.length > 0 && (
          <span class="switches">
            {on.map(({ role, name, e, quality }) => (
              <span key={role} class={`switch ${quality}`}>
                <Name e={e}>{name}</Name>
              </span>
            ))}
          </span>
        )}
        {clock && (
          <span class="own clock">
            <Name e={clock}>clock</Name>
            <Value e={clock} written={clockText(clock.point.value?.value)} />
          </span>
        )}
      </div>
    </header>
  );
}
