import { useMemo } from 'preact/hooks';
import { now } from '../../store/clock.ts';
import { rolesOf, linkOf, type Roles } from '../../store/find.ts';
import { route } from '../../store/route.ts';
import { codeIn, levelText } from '../../model/audio.ts';
import { middle } from '../../model/format.ts';
import { Toggle, Troubles } from '../../ui/cap.tsx';
import { Permission } from '../../ui/permission.tsx';
import { Pick } from '../../ui/pick.tsx';
import { Name, Reading, Value } from '../../ui/value.tsx';
import { Channels, levelNow, on } from './facts.ts';
import { Level } from './level.tsx';
import { MeterCanvas } from './meters.tsx';
import { Mixer } from './mixer.tsx';
import { Inputs, Outputs } from './strips.tsx';

/** AudioPanel is an audio interface: what a person must do first, the monitors, the inputs, outputs and mixes. */
export function AudioPanel({ device }: { device: string }) {
  const roles = rolesOf(device);
  const channels = useMemo(() => new Channels(roles), [roles]);
  return (
    <div class="audio">
      {route.value.wall && <strong class="wallname">{middle(device, 30)}</strong>}
      <Pairing device={device} />
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

/** Pairing is what a person has to do on another screen before anything may be changed. */
export function Pairing({ device }: { device: string }) {
  const link = linkOf(device);
  if (link.state !== 'waiting' || !link.condition) return null;
  const code = codeIn(link.condition);
  return (
    <section class="card pairing" role="status" aria-label="Waiting for a person">
      <h2>Waiting for a person</h2>
      <p>{link.condition.charAt(0).toUpperCase() + link.condition.slice(1)}.</p>
      {code && <p class="code digits">{code}</p>}
      <p class="quiet">
        The panel goes on by itself as soon as that is done. When it was refused there, or the request is gone from the list, restart this device in patchbay, and the request is made again; what was refused for good must first be taken off the list there.
      </p>
    </section>
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
          <Toggle e={talk} label="Talkback" class="big plain-on">
            TALK
          </Toggle>
        )}
        {preset && <Pick e={preset} label="What the monitor knob controls" />}
      </div>
      {level && <Level channels={channels} e={level} name="the monitors" flat />}
      <Troubles device={device} paths={[level?.path, dim?.path, mute?.path, alt?.path, talk?.path, preset?.path]} />
    </section>
  );
}

/** About is clock and identity; they are changed in their details, with a hold. */
function About({ roles }: { roles: Roles }) {
  const rate = roles.one('audio.sample-rate') ?? roles.all.find((e) => e.path.endsWith('/sample-rate'));
  return (
    <section class="card" aria-label="Clock and device">
      <dl class="readings">
        <Reading e={rate} name="Sample rate" />
        <Reading e={roles.one('audio.clock.source')} name="Clock" />
        <Reading e={roles.one('audio.clock.locked')} name="Locked" />
        <Reading e={roles.one('id.model')} name="Model" />
        <Reading e={roles.one('id.version')} name="Firmware" />
        <Reading e={roles.one('id.serial')} name="Serial number" />
      </dl>
    </section>
  );
}
