import { useMemo } from 'preact/hooks';
import { now } from '../../store/clock.ts';
import { rolesOf, type Roles } from '../../store/find.ts';
import { route } from '../../store/route.ts';
import { levelText } from '../../model/audio.ts';
import { middle } from '../../model/format.ts';
import { Toggle, Troubles } from '../../ui/cap.tsx';
import { Momentary } from '../../ui/momentary.tsx';
import { Permission } from '../../ui/permission.tsx';
import { Pick } from '../../ui/pick.tsx';
import { Name, Reading, Value } from '../../ui/value.tsx';
import { sentence } from '../../model/pairing.ts';
import { byDevice, Channels, levelNow, on, whyFixed } from './facts.ts';
import { Level } from './level.tsx';
import { MeterCanvas } from './meters.tsx';
import { Mixer } from './mixer.tsx';
import { Inputs, Outputs } from './strips.tsx';

/** AudioPanel is an audio interface: the monitors, the inputs, outputs and mixes. */
export function AudioPanel({ device }: { device: string }) {
  const roles = rolesOf(device);
  const channels = useMemo(() => new Channels(roles), [roles]);
  return (
    <div class="audio">
      {route.value.wall && <strong class="wallname">{middle(device, 30)}</strong>}
      <Monitor device={device} roles={roles} channels={channels} />
      <Inputs device={device} channels={channels} />
      <Outputs device={device} channels={channels} />
      <Mixer device={device} channels={channels} roles={roles} />
      <About roles={roles} />
      <Legend roles={roles} />
      <Permission device={device} family="audio." />
      <MeterCanvas device={device} />
    </div>
  );
}

/** Legend says what the hollow mark means, when any control carries it. */
function Legend({ roles }: { roles: Roles }) {
  now.value; // looked at once a second, and not with every level
  if (!roles.all.some((e) => e.point.peek()?.quality === 'uncertain')) return null;
  return (
    <p class="quiet legend">
      <span class="hollow" aria-hidden="true" /> not reported by the device: what it has after a start is assumed
    </p>
  );
}

/** Monitor is how loud the speakers are, and what makes them quiet at once. */
function Monitor({ device, roles, channels }: { device: string; roles: Roles; channels: Channels }) {
  const level = roles.one('audio.monitor.level');
  const one = (role: string) => roles.one(role);
  const [dim, mute, alt, talk, preset] = ['audio.monitor.dim', 'audio.monitor.mute', 'audio.monitor.alt', 'audio.monitor.talkback', 'audio.monitor.preset'].map(one);
  if (!level && !dim && !mute) return null;
  return (
    <section class="card monitor" aria-label="Monitors">
      <h2>{level ? <Name e={level}>Monitors</Name> : 'Monitors'}</h2>
      {level && (
        <p class={`monitorlevel ${on(mute) ? 'muted' : ''}`}>
          <Value e={level} unit={false} written={levelText(levelNow(level), level.spec.value.decimals ?? 1)} />
          <span class="unit">{level.spec.value.unit || 'dB'}</span>
        </p>
      )}
      <div class="keyset">
        {mute && (
          <Toggle e={mute} label="Mute the monitors" class={`big ${on(mute) ? 'pgm' : ''}`} safeOn>
            MUTE
          </Toggle>
        )}
        {dim && (
          <Toggle e={dim} label="Dim the monitors" class="big next" safeOn>
            DIM
          </Toggle>
        )}
        {alt && (
          <Toggle e={alt} label="Second pair of monitors" class="big plain-on">
            ALT
          </Toggle>
        )}
        {talk && (
          <Momentary e={talk} label="Talkback" class="big plain-on">
            TALK
            <span class="sub">hold</span>
          </Momentary>
        )}
        {preset && <Pick e={preset} label="What the monitor knob controls" />}
      </div>
      {level && <Level channels={channels} e={level} name="the monitors" flat />}
      {level && byDevice(channels, level) && whyFixed(level).long && <p class="fixed">{sentence(whyFixed(level).long)}</p>}
      <Troubles device={device} paths={[level?.path, dim?.path, mute?.path, alt?.path, talk?.path, preset?.path]} />
    </section>
  );
}

/** About is clock and identity; they are changed in their details, with a hold. */
function About({ roles }: { roles: Roles }) {
  const rate = roles.one('audio.sample-rate') ?? roles.all.find((e) => e.path.endsWith('/sample-rate'));
  const told = [
    ['Sample rate', rate],
    ['Clock', roles.one('audio.clock.source')],
    ['Locked', roles.one('audio.clock.locked')],
    ['Model', roles.one('id.model')],
    ['Firmware', roles.one('id.version')],
    ['Serial number', roles.one('id.serial')],
  ] as const;
  if (told.every(([, e]) => !e)) return null;
  return (
    <section class="card" aria-label="Clock and device">
      <dl class="readings">
        {told.map(([name, e]) => (
          <Reading key={name} e={e} name={name} />
        ))}
      </dl>
    </section>
  );
}
