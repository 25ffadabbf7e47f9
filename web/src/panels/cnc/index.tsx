import { linkOf, rolesOf, type Roles } from '../../store/find.ts';
import { gateway } from '../../api/events.ts';
import { Alarms, Messages } from './alarms.tsx';
import { Counts } from './counts.tsx';
import { Motion } from './motion.tsx';
import { Position } from './position.tsx';
import { Program } from './program.tsx';
import { Status } from './status.tsx';
import { Variables } from './variables.tsx';

/** CncPanel is a machine as its own control shows it; several paths stand side by side. */
export function CncPanel({ device }: { device: string }) {
  const roles = rolesOf(device);
  const state = gateway.value.state === 'lost' ? 'down' : linkOf(device).state;
  const found = roles.containers('path', 'cnc.');
  const paths = found.length > 0 ? found : [''];
  return (
    <div class={`cnc ${paths.length > 1 ? 'many' : ''}`}>
      <div class="paths">
        {paths.map((path) => (
          <Path key={path} device={device} roles={roles} link={state} path={path} several={paths.length > 1} />
        ))}
      </div>
      <Alarms device={device} roles={roles} />
      <Messages roles={roles} />
      <div class="shared">
        {paths.length > 1 && <Motion roles={roles} path="" spindles />}
        {paths.length > 1 && <Counts roles={roles} of={['']} />}
        <Variables roles={roles} />
      </div>
    </div>
  );
}

interface PathProps {
  device: string;
  roles: Roles;
  link: string;
  path: string;
  several: boolean;
}

function Path({ device, roles, link, path, several }: PathProps) {
  return (
    <section class="ncpath" aria-label={several ? path.replace('/', ' ') : 'Machine'}>
      <Status device={device} roles={roles} link={link} path={path} several={several} />
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
