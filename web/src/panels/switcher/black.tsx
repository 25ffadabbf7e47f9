import type { Command } from '../../api/types.ts';
import type { Roles } from '../../store/find.ts';
import { groupOf, rateText } from '../../model/switcher.ts';
import { Act, Troubles } from '../../ui/cap.tsx';
import { fpsOf, said, within } from './facts.ts';
import { Rate } from './transition.tsx';

interface Props {
  device: string;
  roles: Roles;
  find: (path: string) => Command | undefined;
}

/** Black is the strip over the whole panel while the output is black, or on its way there. */
export function Black({ roles }: { roles: Roles }) {
  const lit = roles.list('av.ftb.black').filter((e) => said(e) === true || said(within(roles, 'av.ftb.running', groupOf(e.path))) === true);
  const first = lit[0];
  if (!first) return null;
  const fading = said(within(roles, 'av.ftb.running', groupOf(first.path))) === true;
  const left = rateText(Number(said(within(roles, 'av.ftb.frames-left', groupOf(first.path))) ?? NaN), fpsOf(roles));
  return (
    <p class={`blackstrip ${fading ? 'fading' : ''}`} role="status">
      <strong>BLACK</strong> {fading ? `Fading, ${left} left.` : 'The output is faded to black. FTB brings it back.'}
    </p>
  );
}

/** FadeToBlack stands apart from everything else, and acts at once. */
export function FadeToBlack({ device, roles, find }: Props) {
  const all = roles.list('av.ftb.black');
  if (all.length === 0) return null;
  const fps = fpsOf(roles);
  return (
    <section class="card ftb" aria-label="Fade to black">
      <h2>Fade to black</h2>
      {all.map((e) => {
        const group = groupOf(e.path);
        const on = said(e) === true;
        const fading = said(within(roles, 'av.ftb.running', group)) === true;
        const rate = within(roles, 'av.ftb.rate', group);
        const auto = find(`${group}/auto`);
        return (
          <div class="ftbrow" key={group}>
            <Act device={device} c={auto} label={on ? 'Fade from black' : 'Fade to black'} title="Fade to black" class={`big ${on || fading ? 'pgm chosen' : ''}`}>
              <span class="short">FTB{all.length > 1 ? ` ${group.split('/').at(-1)}` : ''}</span>
              <span class="sub">{fading ? 'FADING' : e.point.value?.value === true ? 'BLACK' : 'off'}</span>
            </Act>
            {rate && <Rate e={rate} fps={fps} name="Rate" label="Rate of fade to black" />}
            <Troubles device={device} paths={[auto?.path, rate?.path]} />
          </div>
        );
      })}
    </section>
  );
}
