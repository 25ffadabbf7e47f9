import { useLayoutEffect, useState } from 'preact/hooks';
import { rolesOf, type Roles } from '../../store/find.ts';
import { panelKeys } from '../../store/keys.ts';
import { guard } from '../../store/lock.ts';
import { programKeys } from '../../store/settings.ts';
import { route } from '../../store/route.ts';
import type { Command } from '../../api/types.ts';
import { middle } from '../../model/format.ts';
import { groupOf } from '../../model/switcher.ts';
import { askCommand, askWrite } from '../../ui/ask.ts';
import { Permission } from '../../ui/permission.tsx';
import { useCommands } from '../../ui/commands.tsx';
import { Black, FadeToBlack } from './black.tsx';
import { Buses } from './bus.tsx';
import { busSources, talliesOf, within } from './facts.ts';
import { Downstream, Keyers } from './keyers.tsx';
import { Boxes, Macros, Media, Out, Routes } from './more.tsx';
import { Transition } from './transition.tsx';

/** SwitcherPanel is a video switcher: program over preview, the transition at their right, everything else below. */
export function SwitcherPanel({ device }: { device: string }) {
  const roles = rolesOf(device);
  const { list } = useCommands(device);
  const find = (path: string) => list.find((c) => c.path === path);
  const effects = [...new Set(roles.list('av.program').map((e) => groupOf(e.path)))];
  const [wanted, setWanted] = useState('');
  const me = effects.includes(wanted) ? wanted : (effects[0] ?? '');
  useKeys(device, roles, me, find);
  const wall = route.value.wall;
  const beside = effects.length > 1 ? (effects.find((e) => e !== me) ?? '') : '';
  return (
    <div class="switcher">
      <Black roles={roles} />
      {wall && <strong class="wallname">{middle(device, 30)}</strong>}
      {effects.length > 1 && !wall && (
        <div class="segments meselect" role="group" aria-label="Mix effects">
          {effects.map((e) => (
            <button type="button" key={e} aria-pressed={e === me} onClick={() => setWanted(e)}>
              {e.replace('me/', 'M/E ')}
            </button>
          ))}
        </div>
      )}
      <div class={`effects ${beside ? 'two' : ''}`}>
        <Effect device={device} roles={roles} me={me} find={find} named={effects.length > 1} />
        {beside && <Effect device={device} roles={roles} me={beside} find={find} named beside />}
      </div>
      <div class="rest">
        <Downstream device={device} roles={roles} find={find} />
        <FadeToBlack device={device} roles={roles} find={find} />
        <Routes device={device} list={roles.list('av.aux.source')} title="Aux" name="AUX" />
        <Boxes device={device} roles={roles} />
        <Macros device={device} roles={roles} find={find} />
        <Media device={device} roles={roles} />
        <Out device={device} roles={roles} find={find} />
      </div>
      <Permission device={device} family="av." />
    </div>
  );
}

interface EffectProps {
  device: string;
  roles: Roles;
  me: string;
  find: (path: string) => Command | undefined;
  named: boolean;
  beside?: boolean; // stands beside the chosen one, where there is room
}

function Effect({ device, roles, me, find, named, beside = false }: EffectProps) {
  const program = within(roles, 'av.program', me);
  if (!program) return null;
  return (
    <section class={`effect ${beside ? 'beside' : ''}`} aria-label={me.replace('me/', 'M/E ')}>
      {named && <h2>{me.replace('me/', 'M/E ')}</h2>}
      <div class="effectmain">
        <Buses
          roles={roles}
          me={me}
          program={program}
          preview={within(roles, 'av.preview', me)}
          sources={busSources(roles, program)}
          tallies={talliesOf(roles)}
        />
        <Transition device={device} roles={roles} me={me} find={find} />
      </div>
      <Keyers device={device} roles={roles} me={me} />
    </section>
  );
}

/** useKeys lends the keyboard to the chosen M/E: digits choose sources, Space cuts, Enter starts the transition. */
function useKeys(device: string, roles: Roles, me: string, find: (path: string) => Command | undefined): void {
  const program = within(roles, 'av.program', me);
  const preview = within(roles, 'av.preview', me);
  useLayoutEffect(() => {
    panelKeys.value = {
      help: [
        ['1 – 0', 'source on preview'],
        ['Shift 1 – 0', programKeys.value ? 'source on program' : 'source on program (off, see above)'],
        ['Space', 'cut'],
        ['Enter', 'auto transition'],
      ],
      press: (event) => {
        const digit = /^Digit(\d)$/.exec(event.code)?.[1];
        if (digit !== undefined && (!event.shiftKey || programKeys.peek())) {
          const bus = event.shiftKey ? program : preview;
          const source = program && busSources(roles, program)[(Number(digit) + 9) % 10];
          if (!bus || !source) return true;
          askWrite(bus, source.key, source.text, { again: true });
          return true;
        }
        if (event.key !== ' ' && event.key !== 'Enter') return false;
        // A button that a keyboard has reached keeps these keys.
        if (document.activeElement?.closest('button, a, summary, [role=slider]')) return false;
        const c = find(`${me}/${event.key === ' ' ? 'cut' : 'auto'}`);
        if (c?.writable) askCommand(device, c, event.key === ' ' ? 'Cut' : 'Auto');
        else guard(device);
        event.preventDefault();
        return true;
      },
    };
    return () => void (panelKeys.value = null);
  });
}
