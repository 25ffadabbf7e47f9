import { useRef } from 'preact/hooks';
import type { Entry } from '../../store/store.ts';
import type { Roles } from '../../store/find.ts';
import { byModal, last } from '../../model/tree.ts';
import { Name, Reading, Value } from '../../ui/value.tsx';

const before = 2; // executed blocks that stay visible above the one in execution
const after = 2; // blocks that the control has read ahead

/** Program is what runs: numbers, comment, the block in execution with its neighbours, and the modal codes. */
export function Program({ roles, path }: { roles: Roles; path: string }) {
  const block = roles.one('cnc.program.block', path);
  const modal = [...roles.list('cnc.modal.g', path), ...roles.list('cnc.modal', path)].sort((a, b) => byModal(last(a.path), last(b.path)));
  const ahead = roles.one('cnc.program.look-ahead', path);
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
      {block && <Blocks e={block} ahead={ahead} />}
      {modal.length > 0 && (
        <dl class="modal">
          {modal.map((e) => (
            <div key={e.path}>
              <dt>
                <Name e={e}>{last(e.path).toUpperCase()}</Name>
              </dt>
              <dd>
                <Value e={e} unit={false} />
              </dd>
            </div>
          ))}
        </dl>
      )}
    </section>
  );
}

/** Blocks shows the block in execution, the ones this page saw before it, and what the control reads ahead. */
function Blocks({ e, ahead }: { e: Entry; ahead: Entry | undefined }) {
  const past = useRef<string[]>([]);
  const current = useRef<string | null>(null);
  const point = e.point.value;
  const now = String(point?.value ?? '').trim();
  const next = String(ahead?.point.value?.value ?? '').split('\n').map((l) => l.trim()).filter(Boolean).slice(0, after);
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
      {ahead &&
        Array.from({ length: after }, (_, i) => (
          <code class="next" key={i}>
            {next[i] ?? '\u00a0'}
          </code>
        ))}
    </div>
  );
}
