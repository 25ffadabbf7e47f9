import type { Device } from '../api/types.ts';
import { gateway } from '../api/events.ts';
import { viewer } from '../store/session.ts';
import { devices } from '../store/store.ts';
import { now } from '../store/clock.ts';
import { factsOf, linkOf, panelOf, rolesOf } from '../store/find.ts';
import { levelOf, levelText, rangeOf } from '../model/audio.ts';
import { plainState } from '../model/cnc.ts';
import { placeOf } from '../model/tree.ts';
import { linkWords } from '../model/link.ts';
import { addressOf } from '../store/route.ts';
import { LongName } from '../ui/longname.tsx';
import { Mark } from '../ui/mark.tsx';
import { Empty } from './empty.tsx';

/** Devices is the list of everything that the gateway has. */
export function Devices() {
  const list = devices.value;
  if (list === null) {
    return <p class="quiet pad">{gateway.value.state === 'lost' ? 'The gateway does not answer.' : 'Asking the gateway…'}</p>;
  }
  if (list.length === 0) return <Empty />;
  return (
    <main class="list" aria-label="Devices">
      <ul>
        {list.map((d) => (
          <li key={d.name}>
            <Row d={d} />
          </li>
        ))}
      </ul>
      <p class="quiet legend">
        A row opens the panel of its device.
        {!viewer.value && ' Panels open locked: hold the lock for 0.6 s, or press L, to change something.'}
        {list.some((d) => d.simulated) && ' SIM is a simulated device: nothing real stands behind it.'}
      </p>
    </main>
  );
}

function Row({ d }: { d: Device }) {
  const link = linkOf(d.name);
  const up = link.state === 'up' && gateway.value.state !== 'lost';
  const place = placeOf(d.labels ?? {});
  return (
    <a class="row" href={addressOf(d.name)}>
      <span class="rowname">
        <strong title={d.name}>
          <LongName name={d.name} most={innerWidth < 620 ? 28 : 44} />
        </strong>
        {d.simulated && <abbr class="sim" title="Simulated: no real machine stands behind this">SIM</abbr>}
        {place && <span class="quiet place">{place}</span>}
      </span>
      <span class="rowkind">{d.title || d.driver}</span>
      <Headline d={d} up={up} />
      <span class={`link ${up ? 'up' : 'lost'}`}>
        <span class="dot" aria-hidden="true" />
        <span>{gateway.value.state === 'lost' ? 'not known' : linkWords(link, now.value)}</span>
      </span>
    </a>
  );
}

/** Headline is the one value of a kind of device. */
function Headline({ d, up }: { d: Device; up: boolean }) {
  switch (panelOf(d.name)) {
    case 'cnc':
      return <MachineWord d={d} up={up} />;
    case 'switcher':
      return <OnAir d={d} up={up} />;
    case 'serial':
      return <OpenPorts d={d} up={up} />;
    case 'audio':
      return <MonitorLevel d={d} up={up} />;
  }
  return <span class="headline quiet">{d.point_count ? `${d.point_count} points` : ''}</span>;
}

/** MachineWord is a machine's plain word and the program. */
function MachineWord({ d, up }: { d: Device; up: boolean }) {
  const roles = rolesOf(d.name);
  const state = plainState(factsOf(roles, up ? 'up' : 'down'));
  const program = (roles.one('cnc.program.running') ?? roles.one('cnc.program.main'))?.point.value;
  return (
    <span class="headline">
      <span class={`plate ${state.tone}`}>
        <Mark kind={state.mark} />
        {state.word}
      </span>
      {up && program?.quality === 'good' && <span class="program">{program.text}</span>}
    </span>
  );
}

/** OnAir is what a switcher has on program, and what comes next. */
function OnAir({ d, up }: { d: Device; up: boolean }) {
  const roles = rolesOf(d.name);
  const name = (role: string) => {
    const point = roles.one(role)?.point.value;
    return up && point?.quality === 'good' ? (point.label ?? point.text ?? '') : '';
  };
  const black = up && roles.one('av.ftb.black')?.point.value?.value === true;
  const program = name('av.program');
  if (!program) return <NoLink />;
  return (
    <span class="headline">
      <span class="plate red">{black ? 'BLACK' : 'PGM'}</span>
      <span class="program">{program}</span>
      {name('av.preview') && <span class="quiet program">PVW {name('av.preview')}</span>}
    </span>
  );
}

/** OpenPorts is how many serial ports are in use. */
function OpenPorts({ d, up }: { d: Device; up: boolean }) {
  const states = rolesOf(d.name).list('serial.state');
  if (!up) return <NoLink />;
  const is = (word: string) => states.filter((e) => String(e.point.value?.value).toLowerCase() === word).length;
  return (
    <span class="headline">
      <span class={`plate ${is('open') > 0 ? 'green' : 'off'}`}>
        {is('open')} of {states.length} open
      </span>
      {is('busy') > 0 && <span class="plate amber">{is('busy')} busy</span>}
    </span>
  );
}

/** MonitorLevel is how loud an audio interface plays, and whether it plays at all. */
function MonitorLevel({ d, up }: { d: Device; up: boolean }) {
  const roles = rolesOf(d.name);
  const level = roles.one('audio.monitor.level');
  const point = level?.point.value;
  const is = (role: string) => roles.one(role)?.point.value?.value === true;
  if (!up && (gateway.value.state === 'lost' || linkOf(d.name).state !== 'waiting')) return <NoLink />;
  if (!level && !up) return <span class="headline" />; // a device that lets nobody in yet has no levels
  if (!level || !point || point.quality === 'bad') return <span class="headline quiet">{d.point_count ? `${d.point_count} points` : ''}</span>;
  const text = levelText(levelOf(point.value, point.text, rangeOf(level.spec.value)), level.spec.value.decimals ?? 1);
  return (
    <span class="headline">
      <span class="program">
        Monitors {text} {level.spec.value.unit || 'dB'}
      </span>
      {is('audio.monitor.mute') && <span class="plate red">MUTE</span>}
      {is('audio.monitor.dim') && <span class="plate amber">DIM</span>}
    </span>
  );
}

function NoLink() {
  return (
    <span class="headline">
      <span class="plate lost">
        <Mark kind="lost" />
        No link
      </span>
    </span>
  );
}
