import type { Entry } from '../../store/store.ts';
import { Exact } from '../../ui/exact.tsx';
import { Fader } from '../../ui/fader.tsx';
import { Value } from '../../ui/value.tsx';
import { bare, rangeWords, typed, type Typed } from '../../model/entry.ts';
import { LevelScale, levelText, rangeOf } from '../../model/audio.ts';
import { byDevice, levelNow, whyFixed, type Channels } from './facts.ts';

interface Props {
  channels: Channels;
  e: Entry;
  name: string;
  flat?: boolean;
  class?: string;
  rest?: number; // where a double click goes, see Fader
}

/** Level is a fader with its number. Where the hardware owns the level it is a plain scale, and says so. */
export function Level({ channels, e, name, flat = false, class: cls = '', rest }: Props) {
  const spec = e.spec.value;
  const range = rangeOf(spec);
  const now = levelNow(e);
  const fixed = byDevice(channels, e);
  const why = whyFixed(e);
  const label = `Level of ${name}`;
  const scale = new LevelScale(range);
  const decimals = spec.decimals ?? 1;
  const climb = Number(spec.attributes?.['max-step'] ?? NaN);
  const most = climb > 0 ? `, louder by at most ${climb} ${spec.unit || 'dB'} at once` : '';
  const wanted = `${range.silence > -Infinity ? 'off, or ' : ''}${rangeWords({ ...spec, min: Math.max(spec.min ?? 0, -90) })}${most}`;
  return (
    <div class={`level ${flat ? 'flat' : ''} ${cls}`}>
      {fixed ? (
        <div class={`fader still ${flat ? 'flat' : ''}`} style={{ '--place': String(scale.place(now)), '--wanted': '0' }} role="meter" aria-label={label} aria-valuenow={Number.isFinite(now) ? now : range.min} aria-valuetext={`${levelText(now, decimals)} dB, ${why.short}`}>
          <span class="rail" aria-hidden="true" />
          <span class={`knob ${e.point.value?.quality === 'bad' ? 'bad' : ''}`} aria-hidden="true" />
        </div>
      ) : (
        <Fader
          e={e}
          label={label}
          scale={scale}
          now={now === -Infinity ? Math.min(range.silence, range.min) : now}
          say={(v) => `${levelText(v <= range.silence ? -Infinity : v, decimals)} ${spec.unit ?? 'dB'}`}
          class={flat ? 'flat' : ''}
          read={(text) => levelFrom(text, e)}
          wanted={wanted}
          rest={rest !== undefined && rest >= range.min && rest <= range.max ? rest : undefined}
          climb={climb > 0 ? climb : undefined}
        />
      )}
      {fixed ? (
        <span class="exact">
          <Value e={e} written={levelText(now, decimals)} />
          <span class="unit"> {spec.unit || 'dB'}</span>
          <span class="fixed" title={why.long}>
            {why.short}
          </span>
        </span>
      ) : (
        <Exact e={e} label={label} wanted={wanted} read={(text) => levelFrom(text, e)}>
          <Value e={e} written={levelText(now, decimals)} />
          <span class="unit"> {spec.unit || 'dB'}</span>
        </Exact>
      )}
    </div>
  );
}

/** levelFrom reads a level that was typed; "off" and "-inf" are silence where the device has it. */
export function levelFrom(text: string, e: Entry): Typed {
  const spec = e.spec.peek();
  const silence = rangeOf(spec).silence;
  if (silence > -Infinity && /^([-−]?\s*(∞|inf(inity)?)|off)$/i.test(bare(text.trim(), spec.unit ?? ''))) return { value: silence };
  return typed(text, spec);
}
