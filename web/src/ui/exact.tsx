import { useState } from 'preact/hooks';
import type { ComponentChildren } from 'preact';
import type { Entry } from '../store/store.ts';
import { guard, isUnlocked } from '../store/lock.ts';
import { route } from '../store/route.ts';
import { attemptOf } from '../store/writing.ts';
import { rangeWords, typed, type Typed } from '../model/entry.ts';
import { askWrite } from './ask.ts';

interface Props {
  e: Entry;
  label: string;
  children: ComponentChildren; // the value as it is shown
  wanted?: string; // what an entry looks like, when it is not a plain number
  read?: (text: string) => Typed;
  class?: string;
}

/** Exact shows a number and opens an entry for an exact one. A wrong entry says the range, and the old value stays. */
export function Exact({ e, label, children, wanted, read, class: cls = '' }: Props) {
  const [open, setOpen] = useState(false);
  if (!e.spec.value.writable || route.value.wall) return <span class={`exact ${cls}`}>{children}</span>;
  const a = attemptOf(e.device, e.path).value;
  if (open) return <Entering e={e} label={label} wanted={wanted} read={read} close={() => setOpen(false)} />;
  return (
    <button
      type="button"
      class={`exact ${cls} ${a && !a.final ? 'sent' : ''} ${isUnlocked(e.device) ? '' : 'locked'}`}
      aria-label={`${label}, change`}
      onClick={() => guard(e.device) && setOpen(true)}
    >
      {children}
    </button>
  );
}

interface EnteringProps {
  e: Entry;
  label: string;
  wanted?: string | undefined;
  read?: ((text: string) => Typed) | undefined;
  close: () => void;
}

/** Entering takes one exact value; Enter sends it, Escape leaves it. */
export function Entering({ e, label, wanted, read, close }: EnteringProps) {
  const [wrong, setWrong] = useState('');
  const spec = e.spec.value;
  const range = wanted || rangeWords(spec);
  const submit = (text: string) => {
    const result = read ? read(text) : typed(text, spec);
    if ('wrong' in result) return setWrong(result.wrong);
    askWrite(e, result.value, text.trim());
    close();
  };
  return (
    <form
      class="entering"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        submit(event.currentTarget.querySelector('input')?.value ?? '');
      }}
    >
      <input
        ref={(box) => box?.focus()}
        class="number"
        inputMode="decimal"
        autocomplete="off"
        spellcheck={false}
        aria-label={`${label}${spec.unit ? ` in ${spec.unit}` : ''}`}
        aria-invalid={wrong !== ''}
        placeholder={range}
        onInput={() => setWrong('')}
        onBlur={(event) => {
          if (!event.currentTarget.value) close();
        }}
        onKeyDown={(event) => {
          if (event.key !== 'Escape') return;
          event.stopPropagation();
          close();
        }}
      />
      <button type="submit" class="small">
        Set
      </button>
      <p class={wrong ? 'refusal' : 'quiet'} role={wrong ? 'alert' : undefined}>
        {wrong || range}
      </p>
    </form>
  );
}
