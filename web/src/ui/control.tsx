import { useState } from 'preact/hooks';
import type { Entry } from '../store/store.ts';
import { devices, shelf } from '../store/store.ts';
import { me } from '../store/session.ts';
import { isUnlocked } from '../store/lock.ts';
import { attemptOf, touch, wentWrong } from '../store/writing.ts';
import type { Label, Value } from '../api/types.ts';
import { rangeWords, typed } from '../model/entry.ts';
import { plainCause, sentence } from '../model/pairing.ts';
import { askWrite } from './ask.ts';
import { press } from './press.ts';

/** Control changes one point: buttons for what has few values, an entry for numbers and texts. */
export function Control({ e }: { e: Entry }) {
  const spec = e.spec.value;
  if (!spec.writable) return <ReadOnly e={e} />;
  const locked = !isUnlocked(e.device);
  const ask: Ask = (value, text) => askWrite(e, value, text);
  const labels = spec.kind === 'enum' && spec.labels ? (shelf(e.device)?.labels[spec.labels] ?? []) : [];
  const choices: Label[] = spec.kind === 'bool' ? [{ value: 1, key: 'true', text: 'on' }, { value: 0, key: 'false', text: 'off' }] : labels;
  return (
    <div class={`control ${locked ? 'locked' : ''}`}>
      {spec.hazard === 'hazard' && <p class="weight">Hazard write: asks again and wants a hold of 1 s.</p>}
      {spec.hazard === 'live' && <p class="weight">Live write: heard or seen by an audience at once.</p>}
      {choices.length > 0 ? (
        <Choices e={e} choices={choices} ask={ask} />
      ) : (
        <Field e={e} ask={ask} />
      )}
      {locked && <p class="quiet">Locked: hold the lock for 0.6 s, or press L.</p>}
      <Outcome device={e.device} path={e.path} />
    </div>
  );
}

type Ask = (value: Value, text: string) => void;

function Choices({ e, choices, ask }: { e: Entry; choices: Label[]; ask: Ask }) {
  const spec = e.spec.value;
  const now = e.point.value;
  const attempt = attemptOf(e.device, e.path).value;
  const sent = attempt && !attempt.final ? String(attempt.value) : '';
  return (
    <div class="choices" role="group" aria-label={spec.title || e.path}>
      {choices.map((c) => {
        const on = now?.quality !== 'bad' && String(now?.value) === c.key;
        return (
          <button
            type="button"
            key={c.key}
            class={`cap ${on ? 'on' : ''} ${sent === c.key ? 'sent' : ''}`}
            aria-pressed={on}
            {...press(() => ask(spec.kind === 'bool' ? c.key === 'true' : c.key, c.text))}
          >
            {c.text || c.key}
          </button>
        );
      })}
    </div>
  );
}

function Field({ e, ask }: { e: Entry; ask: Ask }) {
  const spec = e.spec.value;
  const [text, setText] = useState('');
  const [wrong, setWrong] = useState('');
  const attempt = attemptOf(e.device, e.path).value;
  const busy = attempt !== null && !attempt.final;
  const range = rangeWords(spec);
  const submit = () => {
    const result = typed(text, spec);
    if ('wrong' in result) return setWrong(result.wrong);
    setWrong('');
    ask(result.value, String(result.value));
  };
  const number = spec.kind === 'int' || spec.kind === 'float';
  return (
    <form
      class="entry"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
    >
      <label class="spoken" for="entry">
        New value{spec.unit ? ` in ${spec.unit}` : ''}
      </label>
      <input
        id="entry"
        class={busy ? 'sent' : ''}
        inputMode={number ? 'decimal' : 'text'}
        autocomplete="off"
        spellcheck={false}
        value={text}
        placeholder={range || (number ? 'new value' : 'new text')}
        aria-invalid={wrong !== ''}
        aria-describedby="entry-help"
        onInput={(event) => {
          setText((event.currentTarget as HTMLInputElement).value);
          setWrong('');
          touch(e.device, e.path);
        }}
      />
      {spec.unit && <span class="unit">{spec.unit}</span>}
      <button type="button" class={`cap ${busy ? 'sent' : ''}`} {...press(submit)}>
        Set
      </button>
      <p id="entry-help" class={wrong ? 'refusal' : 'spoken'}>
        {wrong || range}
      </p>
    </form>
  );
}

/** Outcome is the life of the last press: progress after 300 ms, then its end; what went wrong stays until touched. Plain leaves out addresses. */
export function Outcome({ device, path, plain = false }: { device: string; path: string; plain?: boolean }) {
  const a = attemptOf(device, path).value;
  if (!a) return null;
  if (!a.final) {
    return a.slow ? (
      <p class="outcome">
        <span class="progress" aria-hidden="true" /> {a.stage === 'sending' ? 'on its way' : a.stage}
      </p>
    ) : null;
  }
  if (!wentWrong(a)) return <p class="outcome ok">{a.stage === 'confirmed' ? 'confirmed by the device' : `${a.stage}; this device does not confirm`}</p>;
  return (
    <div class="outcome refusal">
      <strong>{a.stage.replaceAll('-', ' ')}</strong> {plain ? sentence(plainCause(a.text)) : a.text}{' '}
      {a.hint && <p class="hint">{a.hint}</p>}
      <button type="button" class="small" onClick={() => touch(device, path)}>
        Understood
      </button>
    </div>
  );
}

function ReadOnly({ e }: { e: Entry }) {
  const spec = e.spec.value;
  if (!spec.access?.includes('w')) return <p class="quiet readonly">Read only: {spec.attributes?.['read-only'] || 'the device offers no way to write this'}.</p>;
  return <Forbidden what="Read only" device={e.device} path={e.path} given={spec.writable_key} />;
}

/** Forbidden says in one line what would allow a write or a command. */
export function Forbidden({ what, device, path, given = '' }: { what: string; device: string; path: string; given?: string }) {
  const who = me.value;
  if (who?.role === 'viewer') {
    return (
      <p class="quiet readonly">
        {what}: {who.user} is signed in as a viewer, who may look and not change.
      </p>
    );
  }
  const key = given || devices.value?.find((d) => d.name === device)?.config_key || `devices.${device}.writable`;
  return (
    <p class="quiet readonly">
      {what}. The configuration key that would allow it: <code>{key}</code> with <code>{key.startsWith('devices.') ? path : `${device}/${path}`}</code>
    </p>
  );
}
