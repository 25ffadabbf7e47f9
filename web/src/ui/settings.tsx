import { signal, type Signal } from '@preact/signals';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { loadAmber, loadRed, palette, palettes, programKeys, theme, themes } from '../store/settings.ts';
import { panelKeys } from '../store/keys.ts';
import { gateway } from '../api/events.ts';

export const settingsOpen = signal(false);

const keys: [string, string][] = [
  ['L', 'unlock or lock the device that is shown'],
  ['/', 'search in Points'],
  ['1 – 5', 'the tabs of a device, from the left'],
  ['right click', 'details of a button: range, evidence, lines to copy'],
  ['Esc', 'close details'],
  ['?', 'this sheet'],
];

/** Settings of this browser, and the keys. */
export function Settings() {
  const box = useRef<HTMLDialogElement>(null);
  const open = settingsOpen.value;
  const own = panelKeys.value;
  useLayoutEffect(() => {
    if (open && !box.current?.open) box.current?.showModal();
  }, [open]);
  if (!open) return null;
  const close = () => {
    box.current?.close();
    settingsOpen.value = false;
  };
  return (
    <dialog ref={box} class="sheet" aria-labelledby="settings-title" onClose={close} onCancel={close}>
      <h2 id="settings-title">Settings of this browser</h2>
      <Choice name="Appearance" is={theme} of={themes} />
      <Choice name="Colours" is={palette} of={palettes} words={{ standard: 'red and green', alternative: 'blue and orange' }} />
      <Percent name="Load bars turn amber from" is={loadAmber} of={[50, 60, 70, 80, 90]} />
      <Percent name="and red from" is={loadRed} of={[80, 90, 100, 110, 120, 150]} />
      <label class="setting">
        <span>Switcher: Shift and a digit choose the program source</span>
        <input type="checkbox" checked={programKeys.value} onChange={(event) => (programKeys.value = event.currentTarget.checked)} />
      </label>
      <h2>Keys</h2>
      <dl class="keys">
        {[...(own?.help ?? []), ...(own ? keys.filter(([k]) => !k.startsWith('1')) : keys)].map(([k, what]) => (
          <div key={k}>
            <dt>
              <kbd>{k}</kbd>
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
      {gateway.value.version && <p class="quiet">patchbay {gateway.value.version}</p>}
      <div class="actions">
        <button type="button" class="cap" onClick={close}>
          Close
        </button>
      </div>
    </dialog>
  );
}

function Choice<T extends string>({ name, is, of, words }: { name: string; is: Signal<T>; of: readonly T[]; words?: Record<T, string> }) {
  return (
    <div class="setting">
      <span>{name}</span>
      <div class="segments" role="group" aria-label={name}>
        {of.map((v) => (
          <button type="button" key={v} aria-pressed={is.value === v} onClick={() => (is.value = v)}>
            {words?.[v] ?? v}
          </button>
        ))}
      </div>
    </div>
  );
}

function Percent({ name, is, of }: { name: string; is: Signal<number>; of: number[] }) {
  return (
    <label class="setting">
      <span>{name}</span>
      <select value={is.value} onChange={(event) => (is.value = Number(event.currentTarget.value))}>
        {of.map((v) => (
          <option key={v} value={v}>
            {v} %
          </option>
        ))}
      </select>
    </label>
  );
}
