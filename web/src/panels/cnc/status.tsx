import { useEffect, useRef } from 'preact/hooks';
import { factsOf, type Roles } from '../../store/find.ts';
import { announce } from '../../store/announce.ts';
import { route } from '../../store/route.ts';
import { plainState } from '../../model/cnc.ts';
import { middle } from '../../model/format.ts';
import { Mark } from '../../ui/mark.tsx';
import { Name, Value } from '../../ui/value.tsx';

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
    return e ? [{ role, name, e }] : [];
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
        {words.map(({ role, name, e }) => {
          const text = e.point.value?.label || e.point.value?.text || '';
          const loud = (role === 'cnc.status.alarm' && state.mark === 'alarm') || (role === 'cnc.status.emergency' && state.mark === 'stop');
          return (
            <span key={role} class={`own ${loud && /[A-Z]/.test(text) ? 'red' : ''}`}>
              <Name e={e}>{name}</Name>
              <Value e={e} />
            </span>
          );
        })}
        {clock && (
          <span class="own clock">
            <Name e={clock}>clock</Name>
            <Value e={clock} written={String(clock.point.value?.value ?? '').replace('T', ' ')} />
          </span>
        )}
      </div>
    </header>
  );
}
