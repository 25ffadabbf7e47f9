import type { Entry } from '../../store/store.ts';
import type { Roles } from '../../store/find.ts';
import type { Source } from '../../model/switcher.ts';
import { Cap, Troubles } from '../../ui/cap.tsx';
import { Name } from '../../ui/value.tsx';
import { said, tallyAt, textOf } from './facts.ts';

interface Props {
  roles: Roles;
  me: string;
  program: Entry;
  preview: Entry | undefined;
  sources: Source[];
  tallies: Map<string, Entry>;
}

/** Buses are the program row over the preview row, in the same order and width. */
export function Buses({ roles, me, program, preview, sources, tallies }: Props) {
  const position = Number(said(roles.one('av.transition.position', me)) ?? 0);
  const background = roles.list('av.transition.layer', me).find((e) => e.path.endsWith('/background'));
  // During a transition both sources are on air, unless only keys take part.
  const both = (said(roles.one('av.transition.running', me)) === true || position > 0) && said(background) !== false;
  return (
    <div class="buses">
      <Bus e={program} name="PGM" tone={() => 'pgm'} sources={sources} tallies={tallies} me={me} />
      {preview && (
        <Bus
          e={preview}
          name="PVW"
          tone={(key) => (both || key === textOf(program) ? 'pgm' : 'pvw')}
          sources={sources}
          tallies={tallies}
          me={me}
        />
      )}
      <Troubles device={program.device} paths={[program.path, preview?.path]} />
    </div>
  );
}

interface BusProps {
  e: Entry;
  name: 'PGM' | 'PVW';
  tone: (key: string) => 'pgm' | 'pvw';
  sources: Source[];
  tallies: Map<string, Entry>;
  me: string;
}

function Bus({ e, name, tone, sources, tallies, me }: BusProps) {
  const now = textOf(e);
  const known = sources.some((s) => s.key === now);
  const shown = known || !now ? sources : [...sources, { key: now, text: e.point.value?.label ?? now, short: e.point.value?.label ?? now }];
  return (
    <div class="bus" role="group" aria-label={`${name === 'PGM' ? 'Program' : 'Preview'}, ${me.replace('me/', 'M/E ')}`}>
      <div class="busname">
        <Name e={e}>{name}</Name>
      </div>
      <div class="busrow">
        {shown.map((s) => {
          const chosen = s.key === now;
          const colour = chosen ? tone(s.key) : '';
          const tally = tallyAt(tallies, s.key);
          const lit = tally?.program ? 'air' : tally?.preview ? 'next' : '';
          const spoken = tally?.program ? ', on air' : tally?.preview ? ', in preview' : '';
          return (
            <Cap
              key={s.key}
              e={e}
              value={s.key}
              text={s.text}
              chosen={chosen}
              class={`source ${colour}`}
              label={`${s.text}, source ${s.key}${spoken}`}
              title={s.text}
            >
              <span class="short">{s.short}</span>
              <span class="sub">
                <span class="number">{s.key}</span>
                {chosen && <span class="word">{colour === 'pgm' ? 'PGM' : 'PVW'}</span>}
              </span>
              <span class={`tallybar ${lit} ${tallies.has(s.key) && !tally ? 'unknown' : ''}`} aria-hidden="true" />
            </Cap>
          );
        })}
      </div>
    </div>
  );
}
