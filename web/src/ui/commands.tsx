import { useEffect, useState } from 'preact/hooks';
import type { Command, LabelSets, Spec, Value } from '../api/types.ts';
import { commands, followCommands } from '../store/commands.ts';
import { guard, isUnlocked } from '../store/lock.ts';
import { me } from '../store/session.ts';
import { attemptOf, perform, touch, wentWrong } from '../store/writing.ts';
import { rangeWords, typed } from '../model/entry.ts';
import { commandLines } from '../model/lines.ts';
import { isPairing, sentence } from '../model/pairing.ts';
import { linkOf } from '../store/find.ts';
import { last } from '../model/tree.ts';
import { words } from '../model/format.ts';
import { CopyLine } from './copy.tsx';
import { Forbidden, Outcome } from './control.tsx';
import { press } from './press.ts';
import { sheet } from './sheet.tsx';

/** useCommands keeps the commands of a device while the caller is drawn. Those of clients have a place of their own. */
export function useCommands(device: string): { list: Command[]; labels: LabelSets } {
  useEffect(() => followCommands(device), [device]);
  const { device: of, list, labels } = commands.value;
  return of === device ? { list, labels } : { list: [], labels: {} };
}

/**
 * Commands are the actions of a device that are no points, each with a form for what it wants to be told. On a panel those of
 * pairing stand above it while they are wanted.
 */
export function Commands({ device, panel = false }: { device: string; panel?: boolean }) {
  const { list, labels } = useCommands(device);
  const apart = panel && linkOf(device).state === 'waiting';
  const own = list.filter((c) => !c.path.startsWith('_') && !(apart && isPairing(c.path)));
  if (own.length === 0) return null;
  return (
    <section class="card commands" aria-label="Commands">
      <h2>Commands</h2>
      <ul>
        {own.map((c) => (
          <li key={c.path}>
            <One device={device} c={c} labels={labels} />
          </li>
        ))}
      </ul>
    </section>
  );
}

interface OneProps {
  device: string;
  c: Command;
  labels: LabelSets;
}

function One({ device, c, labels }: OneProps) {
  const { args, busy, given, name, run, setGiven, wrong } = useForm(device, c, labels, false);
  return (
    <div class={`command ${isUnlocked(device) ? '' : 'locked'}`}>
      <div class="commandname">
        <strong>{name}</strong> <span class="path quiet">{c.path}</span>
        {c.hazard && <span class={`flag ${c.hazard}`}>{c.hazard}</span>}
      </div>
      {c.doc && <p class="quiet">{c.doc}</p>}
      {c.writable ? (
        <form
          class="entry"
          noValidate
          onSubmit={(event) => {
            event.preventDefault();
            run();
          }}
        >
          {args.map((a) => (
            <label class="arg" key={a.path}>
              <span>{a.title || words(a.path)}</span>
              <Arg a={a} labels={labels} value={given[a.path] ?? first(a, labels)} set={(v) => setGiven({ ...given, [a.path]: v })} />
            </label>
          ))}
          <button type="button" class={`cap ${busy ? 'sent' : ''} ${c.hazard === 'hazard' ? 'danger' : ''}`} {...press(run)}>
            {name}
          </button>
        </form>
      ) : (
        <Forbidden what="Not allowed here" device={device} path={c.path} given={c.writable_key} />
      )}
      {wrong && <p class="refusal">{wrong}</p>}
      <Outcome device={device} path={c.path} />
      {c.writable && <Lines device={device} c={c} given={given} labels={labels} />}
    </div>
  );
}

/** Action is a command on a panel, where it may be performed: what it does, what it is told with the help for each, and its button. What comes of it the panel shows. */
export function Action({ device, c }: { device: string; c: Command }) {
  const { labels } = commands.value;
  const { args, busy, given, name, run, setGiven, wrong } = useForm(device, c, labels, true);
  const attempt = attemptOf(device, c.path).value;
  return (
    <form
      class={`action ${isUnlocked(device) ? '' : 'locked'}`}
      noValidate
      aria-label={name}
      onSubmit={(event) => {
        event.preventDefault();
        run();
      }}
    >
      {args.map((a) => (
        <label class="arg" key={a.path}>
          <span>{a.title || words(a.path)}</span>
          <Arg a={a} labels={labels} value={given[a.path] ?? first(a, labels)} set={(v) => setGiven({ ...given, [a.path]: v })} />
          {a.doc && <span class="help">{sentence(a.doc)}</span>}
        </label>
      ))}
      {c.doc && !args.some((a) => a.doc) && <p class="quiet">{sentence(c.doc)}</p>}
      <button type="button" class={`cap ${busy ? 'sent' : ''} ${c.hazard === 'hazard' ? 'danger' : ''}`} {...press(run)}>
        {args.some((a) => a.title === name) ? 'Send' : name}
      </button>
      {wrong && (
        <p class="refusal" role="alert">
          {wrong}
        </p>
      )}
      {attempt && (!attempt.final || wentWrong(attempt)) && <Outcome device={device} path={c.path} plain />}
    </form>
  );
}

/** useForm is what is entered for a command, and how it is sent. */
function useForm(device: string, c: Command, labels: LabelSets, filled: boolean) {
  const [given, setGiven] = useState<Record<string, string>>({});
  const [wrong, setWrong] = useState('');
  const args = c.args ?? [];
  const attempt = attemptOf(device, c.path).value;
  const busy = attempt !== null && !attempt.final;
  const name = c.title || words(last(c.path));

  const read = (): Record<string, Value> | null => {
    const out: Record<string, Value> = {};
    for (const a of args) {
      const text = given[a.path] ?? first(a, labels);
      const result = filled && text.trim() === '' ? { wrong: 'nothing is entered yet.' } : typed(text, a);
      if ('wrong' in result) {
        setWrong(`${a.title || words(a.path)}: ${result.wrong}`);
        return null;
      }
      out[a.path] = result.value;
    }
    setWrong('');
    return out;
  };
  const run = () => {
    if (busy || !guard(device)) return;
    touch(device, c.path);
    const values = read();
    if (!values) return;
    const act = () => void perform(device, c.path, values);
    if (c.hazard !== 'hazard') return act();
    const text = Object.entries(values).map(([k, v]) => `${words(k)} ${String(v)}`).join(', ');
    sheet.value = { device, path: c.path, title: name, text, act };
  };
  return { args, busy, given, name, run, setGiven, wrong };
}

function Lines({ device, c, given, labels }: { device: string; c: Command; given: Record<string, string>; labels: LabelSets }) {
  const args: Record<string, Value> = {};
  for (const a of c.args ?? []) {
    const result = typed(given[a.path] ?? first(a, labels), a);
    args[a.path] = 'value' in result ? result.value : (a.min ?? 0);
  }
  const reach = { origin: location.origin, login: me.value?.access === 'login' };
  return (
    <details>
      <summary>lines to copy</summary>
      {commandLines(reach, device, c.path, args).map((l) => (
        <CopyLine key={l.door} {...l} />
      ))}
    </details>
  );
}

/** first is what an argument says before anybody has touched it: of few choices the first, else nothing. */
function first(a: Spec, labels: LabelSets): string {
  if (a.kind === 'bool') return 'false';
  return a.kind === 'enum' ? (labels[a.labels ?? '']?.[0]?.key ?? '') : '';
}

function Arg({ a, labels, value, set }: { a: Spec; labels: LabelSets; value: string; set: (v: string) => void }) {
  const choices = a.kind === 'bool' ? [{ key: 'false', text: 'off' }, { key: 'true', text: 'on' }] : a.kind === 'enum' ? (labels[a.labels ?? ''] ?? []) : [];
  if (choices.length > 0) {
    return (
      <select value={value} onChange={(event) => set(event.currentTarget.value)}>
        {choices.map((l) => (
          <option key={l.key} value={l.key}>
            {l.text || l.key}
          </option>
        ))}
      </select>
    );
  }
  const number = a.kind === 'int' || a.kind === 'float';
  return (
    <input
      inputMode={number ? 'decimal' : 'text'}
      autocomplete="off"
      spellcheck={false}
      value={value}
      placeholder={rangeWords(a) || a.unit || ''}
      onInput={(event) => set(event.currentTarget.value)}
    />
  );
}
