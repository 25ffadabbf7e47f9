import { useLayoutEffect, useRef } from 'preact/hooks';
import { signal } from '@preact/signals';
import type { Value } from '../api/types.ts';
import type { Entry } from '../store/store.ts';
import { isPairing } from '../model/pairing.ts';
import { unreachable } from '../store/store.ts';
import { field } from '../store/settings.ts';
import { write } from '../store/writing.ts';
import { Hold } from './hold.tsx';
import { Value as Shown } from './value.tsx';

/** Asked is a hazard write that waits for its hold, or a command: then with what it will be told. */
export type Asked = { e: Entry; value: Value; text: string } | { device: string; path: string; title: string; text: string; act: () => void };

export const sheet = signal<Asked | null>(null);

// What a hazard means differs from field to field.
const warnings: Record<string, string> = {
  phantom: '48 V goes onto, or off, this input: some microphones and everything that is none can be damaged, and the monitors may thump.',
  pairing: 'This cannot be undone from here: a person at the device has to let patchbay in again, and until then it is neither seen nor changed.',
  audio: 'This interrupts the sound, or cannot be undone. Check that nobody is recording or listening.',
  switcher: 'This cannot be undone.',
  serial: 'This can damage what is connected, or cannot be undone.',
  '': 'This can move the machine or cannot be undone. Check that nobody is in reach.',
};

/** Sheet shows old → new of a hazard write, or what a command is told, and sends it after a hold of one second. */
export function Sheet() {
  const ask = sheet.value;
  const box = useRef<HTMLDialogElement>(null);
  // Before the browser draws it, and before the next key: that is for the sheet, and not for the panel behind it.
  useLayoutEffect(() => {
    if (ask && !box.current?.open) box.current?.showModal();
  }, [ask]);
  if (!ask) return null;
  const spec = 'e' in ask ? ask.e.spec.value : null;
  const device = 'e' in ask ? ask.e.device : ask.device;
  const path = 'e' in ask ? ask.e.path : ask.path;
  const close = () => {
    box.current?.close();
    sheet.value = null;
  };
  const no = unreachable(device, true, path);
  const kind = spec?.role === 'audio.phantom' ? 'phantom' : isPairing(path) ? 'pairing' : field.value;
  return (
    <dialog ref={box} class="sheet" aria-labelledby="sheet-title" onClose={close} onCancel={close}>
      <h2 id="sheet-title">{('e' in ask ? spec?.title : ask.title) || path}</h2>
      <p class="path">
        {device}/{path}
      </p>
      {'e' in ask ? (
        <div class="oldnew">
          <div>
            <span class="caption">now</span>
            <Shown e={ask.e} />
          </div>
          <span class="arrow" aria-label="becomes">
            →
          </span>
          <div>
            <span class="caption">new</span>
            <span class="value">
              <span class="digits">{ask.text}</span>
              {spec?.unit && <span class="unit"> {spec.unit}</span>}
            </span>
          </div>
        </div>
      ) : (
        ask.text && <p class="oldnew digits">{ask.text}</p>
      )}
      <p class="warn">{warnings[kind] ?? warnings['']}</p>
      {no && <p class="refusal">{no}</p>}
      <div class="actions">
        <button type="button" class="cap" onClick={close}>
          Leave as it is
        </button>
        <Hold
          seconds={1}
          class="cap danger"
          disabled={no !== ''}
          label={'e' in ask ? `Hold for one second to write ${ask.text} ${spec?.unit ?? ''}` : `Hold for one second: ${ask.title} ${ask.text}`}
          onHeld={() => {
            if ('e' in ask) void write(device, path, ask.value);
            else ask.act();
            close();
          }}
        >
          {'e' in ask ? 'Hold 1 s to write' : 'Hold 1 s to do it'}
        </Hold>
      </div>
    </dialog>
  );
}
