import { useRef } from 'preact/hooks';
import type { Entry } from '../../store/store.ts';
import type { Roles } from '../../store/find.ts';
import { Name, Reading, Value } from '../../ui/value.tsx';

const before = 3; // executed blocks that stay visible above the one in execution

/** Program is what runs: numbers, comment, the block in execution with its neighbours, and the modal codes. */
export function Program({ roles, path }: { roles: Roles; path: string }) {
  const block = roles.one('cnc.program.block', path);
  const modal = [...roles.list('cnc.modal.g', path), ...roles.list('cnc.modal', path)];
  const running = roles.one('cnc.program.running', path);
  const main = roles.one('cnc.program.main', path);
  if (!block && !running && !main && modal.length === 0) return null;
  return (
    <section class="card program" aria-label="Program">
      <dl class="readings inline">
        <Reading e={main} name="Main" />
        <Reading e={running} name="Running" />
        <Reading e={roles.one('cnc.program.comment', path)} name="Comment" />
        <Reading e={roles.one('cnc.program.sequence', path)} name="N" />
        <Reading e={roles.one('cnc.program.block-count', path)} name="Blocks" />
      </dl>
      {block && <Blocks e={block} />}
      {modal.length > 0 && (
        <dl class="modal">
          {modal.map((e) => (
            <div key={e.path}>
              <dt>
                <Name e={e}>{(e.path.split('/').at(-1) ?? '').toUpperCase()}</Name>
              </dt>
              <dd>
                <Value e={e} why={false} unit={false} />
              </dd>
            </div>
          ))}
        </dl>
      )}
    </section>
  );
}

/** Blocks shows the block in execution, the ones this page saw before it, and what the control reads ahead. */
function Blocks({ e }: { e: Entry }) {
  const past = useRef<string[]>([]);
  const current = useRef<string | null>(null);
  const point = e.point.value;
  const lines = String(point?.value ?? '').split('\n').map((l) => l.trim()).filter(Boolean);
  const now = lines[0] ?? '';
  if (point?.quality !== 'bad' && now !== current.current) {
    if (current.current) past.current = [...past.current, current.current].slice(-before);
    current.current = now;
  }
  const rows = [...Array<string>(before - past.current.length).fill(''), ...past.current];
  return (
    <div class={`blocks ${point?.quality ?? 'bad'}`}>
      {rows.map((text, i) => (
        <code class="past" key={i}>
          {text || '\u00a0'}
        </code>
      ))}
      <div class="now">
        <span class="spoken">in execution: </span>
        <Name e={e}>▸</Name>
        <code>{now || '–'}</code>
      </div>
      {lines.slice(1, 4).map((text, i) => (
        <code class="next" key={i}>
          {text}
        </code>
      ))}
    </div>
  );
}
