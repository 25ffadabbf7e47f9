import type { ComponentChildren } from 'preact';
import { clockText } from '../../model/format.ts';
import { linkOf, rolesOf, type Roles } from '../../store/find.ts';
import { gateway } from '../../api/events.ts';
import { Alarms, Messages } from './alarms.tsx';
import { Counts } from './counts.tsx';
import { Motion } from './motion.tsx';
import { Position } from './position.tsx';
import { Program } from './program.tsx';
import { Status } from './status.tsx';
import { Reading } from '../../ui/value.tsx';
import { Variables } from './variables.tsx';

/** CncPanel is a machine as its own control shows it; several paths stand side by side. */
export function CncPanel({ device }: { device: string }) {
  const roles = rolesOf(device);
  const state = gateway.value.state === 'lost' ? 'down' : linkOf(device).state;
  const found = roles.containers('path', 'cnc.');
  const paths = found.length > 0 ? found : [''];
  const several = paths.length > 1;
  const news = (
    <>
      <Alarms device={device} roles={roles} />
      <Messages roles={roles} />
    </>
  );
  return (
    <div class={`cnc ${several ? 'many' : ''}`}>
      {several && news}
      <div class="paths">
        {paths.map((path) => (
          <Path key={path} device={device} roles={roles} link={state} path={path} several={several}>
            {!several && news}
          </Path>
        ))}
      </div>
      <div class="shared">
        {several && <Common roles={roles} />}
        {several && <Motion roles={roles} path="" spindles />}
        {several && <Counts roles={roles} of={['']} />}
        <Variables roles={roles} />
      </div>
    </div>
  );
}

/** Common is what several paths have once. */
function Common({ roles }: { roles: Roles }) {
  const clock = roles.one('cnc.clock');
  const stop = roles.one('cnc.emergency-stop');
  if (!clock && !stop) return null;
  return (
    <section class="card" aria-label="Control">
      <dl class="readings">
        <Reading e={stop} name="Emergency stop" />
        <Reading e={clock} name="Clock" written={clockText(clock?.point.value?.value)} />
      </dl>
    </section>
  );
}

interface PathProps {
  device: string;
  roles: Roles;
  link: string;
  path: string;
  several: boolean;
  children: ComponentChildren; // what must be read next after the state
}

function Path({ device, roles, link, path, several, children }: PathProps) {
  return (
    <section class="ncpath" aria-label={several ? path.replace('/', ' ') : 'Machine'}>
      <Status device={device} roles={roles} link={link} path={path} several={several} />
      {children}
      <div class="ncgrid">
        <Position roles={roles} path={path} />
        <div class="side">
          <Motion roles={roles} path={path} spindles={!several} />
          <Counts roles={roles} of={several ? [path] : [path, '']} />
        </div>
        <Program roles={roles} path={path} />
      </div>
    </section>
  );
}
