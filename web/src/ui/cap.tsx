import type { ComponentChildren } from 'preact';
import type { Command, Value } from '../api/types.ts';
import type { Entry } from '../store/store.ts';
import { inspect } from '../store/inspect.ts';
import { isUnlocked } from '../store/lock.ts';
import { route } from '../store/route.ts';
import { attemptOf, touch, visitorOf, wentWrong } from '../store/writing.ts';
import { words } from '../model/format.ts';
import { askCommand, askWrite } from './ask.ts';
import { press } from './press.ts';

// A press with the mouse leaves the focus where it is, so that the keys of the panel go on working.
const staying = { onMouseDown: (event: MouseEvent) => event.preventDefault() };

interface CapProps {
  e: Entry;
  value: Value; // what a press asks for
  text: string; // the same in words
  chosen: boolean; // what the device says
  label: string; // what is spoken
  title?: string;
  class?: string;
  safe?: boolean; // towards the safe side: acts without unlocking
  again?: boolean; // also while an earlier press is under way
  children: ComponentChildren;
}

/**
 * Cap is one button of a panel. A press shows an outline; the fill is what the device says. Where it may not be written it
 * is a lamp: without a cap, and nothing happens.
 */
export function Cap({ e, value, text, chosen, label, title, class: cls = '', safe, again = true, children }: CapProps) {
  const a = attemptOf(e.device, e.path).value;
  const ours = a !== null && String(a.value) === String(value);
  const sent = ours && !a.final;
  const wrong = ours && wentWrong(a);
  const bad = e.point.value?.quality === 'bad';
  const assumed = e.point.value?.quality === 'uncertain';
  // Of several buttons the chosen one carries the name of who chose it; a switch also when it went off.
  const visitor = chosen || typeof value === 'boolean' ? visitorOf(e.device, e.path).value : '';
  const look = `key told ${cls} ${chosen ? 'chosen' : ''} ${bad ? 'bad' : ''}`;
  const inside = (
    <>
      {assumed && <span class="hollow" title="not reported by the device" aria-hidden="true" />}
      {children}
      {sent && a.slow && <span class="progress" aria-hidden="true" />}
      {wrong && (
        <span class="wrongmark" aria-hidden="true">
          !
        </span>
      )}
      {visitor && <span class="visitor">{visitor}</span>}
    </>
  );
  if (!e.spec.value.writable || route.value.wall) {
    return (
      <span class={`lamp ${look}`} role="img" aria-label={`${label}${chosen ? ', on' : ''}`} title={title}>
        {inside}
      </span>
    );
  }
  const locked = !safe && !isUnlocked(e.device);
  return (
    <button
      type="button"
      class={`cap ${look} ${sent ? 'sent' : ''} ${locked ? 'locked' : ''}`}
      aria-label={label}
      aria-pressed={chosen}
      title={title}
      onContextMenu={(event) => {
        event.preventDefault();
        inspect(e.device, e.path);
      }}
      {...staying}
      {...press(() => askWrite(e, value, text, { safe: safe ?? false, again }))}
    >
      {inside}
    </button>
  );
}

interface ToggleProps {
  e: Entry;
  label: string;
  class?: string;
  safeOn?: boolean; // switching it on goes to the safe side
  children: ComponentChildren;
}

/** Toggle is a Cap of a point that is on or off. */
export function Toggle({ e, label, class: cls, safeOn, children }: ToggleProps) {
  const on = e.point.value?.value === true;
  return (
    <Cap e={e} value={!on} text={on ? 'off' : 'on'} chosen={on} label={label} class={cls ?? ''} safe={safeOn === true && !on}>
      {children}
    </Cap>
  );
}

interface ActProps {
  device: string;
  c: Command | undefined;
  label: string;
  title?: string;
  class?: string;
  children: ComponentChildren;
}

/** Act is the button of a command; nothing when the device has no such command. */
export function Act({ device, c, label, title, class: cls = '', children }: ActProps) {
  if (!c) return null;
  const a = attemptOf(device, c.path).value;
  const sent = a !== null && !a.final;
  const inside = (
    <>
      {children}
      {sent && a.slow && <span class="progress" aria-hidden="true" />}
      {a && wentWrong(a) && (
        <span class="wrongmark" aria-hidden="true">
          !
        </span>
      )}
    </>
  );
  if (!c.writable || route.value.wall) {
    return (
      <span class={`lamp key ${cls}`} role="img" aria-label={`${label}, not allowed here`} title={title}>
        {inside}
      </span>
    );
  }
  return (
    <button
      type="button"
      class={`cap key ${cls} ${sent ? 'sent' : ''} ${isUnlocked(device) ? '' : 'locked'}`}
      aria-label={label}
      title={title}
      {...staying}
      {...press(() => askCommand(device, c, title || label))}
    >
      {inside}
    </button>
  );
}

/** Troubles says at a group of controls what became of presses that went wrong, each until it is touched. */
export function Troubles({ device, paths }: { device: string; paths: readonly (string | undefined)[] }) {
  const wrong = paths.flatMap((path) => {
    const a = path ? attemptOf(device, path).value : null;
    return path && a && wentWrong(a) ? [{ path, a }] : [];
  });
  if (wrong.length === 0) return null;
  return (
    <ul class="troubles">
      {wrong.map(({ path, a }) => (
        <li key={path} class="trouble">
          <span class="path">{path}</span> <strong>{words(a.stage)}</strong> {a.text} {a.hint && <span class="quiet">{a.hint}</span>}
          <button type="button" class="small" onClick={() => touch(device, path)}>
            Understood
          </button>
        </li>
      ))}
    </ul>
  );
}
