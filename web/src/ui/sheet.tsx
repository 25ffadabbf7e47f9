import { useEffect, useRef } from 'preact/hooks';
import { signal } from '@preact/signals';
import type { Value } from '../api/types.ts';
import type { Entry } from '../store/store.ts';
import { unreachable } from '../store/store.ts';
import { write } from '../store/writing.ts';
import { Hold } from './hold.tsx';
import { Value as Shown } from './value.tsx';

/** The one hazard write that waits for its hold. */
export const sheet = signal<{ e: Entry; value: Value; text: string } | null>(null);

/** Sheet shows old → new of a hazard write and sends it after a hold of one second. */
export function Sheet() {
  const ask = sheet.value;
  const box = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    if (ask && !box.current?.open) box.current?.showModal();
  }, [ask]);
  if (!ask) return null;
  const { e } = ask;
  const spec = e.spec.value;
  const close = () => {
    box.current?.close();
    sheet.value = null;
  };
  const no = unreachable(e.device);
  return (
    <dialog ref={box} class="sheet" aria-labelledby="sheet-title" onClose={close} onCancel={close}>
      <h2 id="sheet-title">{spec.title || e.path}</h2>
      <p class="path">
        {e.device}/{e.path}
      </p>
      <div class="oldnew">
        <div>
          <span class="caption">now</span>
          <Shown e={e} />
        </div>
        <span class="arrow" aria-label="becomes">
          →
        </span>
        <div>
          <span class="caption">new</span>
          <span class="value">
            <span class="digits">{ask.text}</span>
            {spec.unit && <span class="unit"> {spec.unit}</span>}
          </span>
        </div>
      </div>
      <p class="warn">This can move the machine or cannot be undone. Check that nobody is in reach.</p>
      {no && <p class="refusal">{no}</p>}
      <div class="actions">
        <button type="button" class="cap" onClick={close}>
          Leave as it is
        </button>
        <Hold
          seconds={1}
          class="cap danger"
          disabled={no !== ''}
          label={`Hold for one second to write ${ask.text} ${spec.unit ?? ''}`}
          onHeld={() => {
            void write(e.device, e.path, ask.value);
            close();
          }}
        >
          Hold 1 s to write
        </Hold>
      </div>
    </dialog>
  );
}
