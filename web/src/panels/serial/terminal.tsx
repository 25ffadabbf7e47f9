import { signal } from '@preact/signals';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { gateway } from '../../api/events.ts';
import { PortStream, type PortState } from '../../api/stream.ts';
import { unreachable, type Entry } from '../../store/store.ts';
import { guard, isUnlocked, takeable } from '../../store/lock.ts';
import { stranger, viewer } from '../../store/session.ts';
import { palette, theme } from '../../store/settings.ts';
import { endLines, fileText, stampText, Tape, Writer, type Ending, type Look, type Mapping, type Piece, type Stamps, type View } from '../../model/tape.ts';
import { Forbidden } from '../../ui/control.tsx';
import { press } from '../../ui/press.ts';
import type { Screen } from './screen.ts';

// How this tab likes its terminals.
const look = signal<Look>({ view: 'text', stamps: 'off', mapping: 'none', echo: false });
const ending = signal<Ending>('cr');

const redrawn = 128 << 10; // bytes that are written again when the look changes
const held = 16 << 20; // bytes that a pause holds back; what is older is said in its place
const logged = 64 << 20; // bytes of a log to a file, likewise

interface Props {
  device: string;
  at: string;
  owner: Entry | undefined;
}

/** TerminalView shows what comes from a port, and after it was taken sends what is typed. */
export function TerminalView({ device, at, owner }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const screen = useRef<Screen | null>(null);
  const stream = useRef<PortStream | null>(null);
  const tape = useRef(new Tape());
  const writer = useRef(new Writer(look.peek()));
  const queue = useRef(new Tape(held));
  const [paused, setPaused] = useState(false);
  const isPaused = useRef(false);
  const [waiting, setWaiting] = useState(0);
  const [, again] = useState(0);
  const [pasted, setPasted] = useState<string | null>(null);
  const [since, setSince] = useState<number | null>(null); // of the log to a file
  const [note, setNote] = useState('');
  const filed = useRef<Tape | null>(null);

  const show = (piece: Piece) => {
    for (const part of writer.current.write(piece)) screen.current?.write(part);
  };
  const take = (piece: Piece) => {
    tape.current.push(piece);
    filed.current?.push(piece);
    if (!isPaused.current) return show(piece);
    queue.current.push(piece);
    setWaiting((n) => n + ('bytes' in piece ? piece.bytes.length : 0));
  };
  const redraw = () => {
    writer.current = new Writer(look.peek(), screen.current?.columns());
    screen.current?.clear();
    const later = new Set(isPaused.current ? queue.current.pieces : []);
    for (const piece of tape.current.tail(redrawn)) if (!later.has(piece)) show(piece);
  };

  // send says whether the bytes left the page. While the gateway is lost none do: they would arrive later, when nobody means them any more.
  const send = (text: string): boolean => {
    if (!guard(device) || !reached()) return false;
    const bytes = new TextEncoder().encode(endLines(text, ending.peek()));
    const gone = stream.current?.send(bytes) === true;
    if (gone) take({ at: Date.now(), kind: 'out', bytes });
    return gone;
  };
  const reached = (): boolean => {
    const no = unreachable(device, false);
    if (no) setNote(no);
    return no === '';
  };
  const typed = (text: string) => {
    const s = stream.current?.state.peek();
    if (s?.mode !== 'own' || s.state !== 'on') return setNote('Only looking: take the port to type.');
    setNote('');
    send(text);
  };
  const handlers = useRef({ typed, take, redraw });
  handlers.current = { typed, take, redraw };

  useEffect(() => {
    let over = false;
    const home = box.current!;
    const s = new PortStream(device, at, {
      bytes: (bytes) => handlers.current.take({ at: Date.now(), kind: 'in', bytes }),
      gap: (lost) => handlers.current.take({ at: Date.now(), kind: 'gap', lost }),
      note: (text) => handlers.current.take({ at: Date.now(), kind: 'note', text }),
    });
    stream.current = s;
    const stop = s.state.subscribe(() => again((n) => n + 1));
    void import('./screen.ts').then(({ openScreen }) => {
      if (over) return;
      screen.current = openScreen(home, (text) => handlers.current.typed(text), () => look.peek().view !== 'text' && handlers.current.redraw());
      writer.current = new Writer(look.peek(), screen.current.columns());
      for (const piece of tape.current.tail(redrawn)) show(piece);
    });
    return () => {
      over = true;
      stop();
      s.close();
      screen.current?.close();
      screen.current = null;
    };
  }, [device, at]);
  const nobody = stranger.value;
  useEffect(() => stream.current?.rest(nobody), [nobody]);
  const is = look.value;
  useEffect(() => {
    if (screen.current) redraw();
  }, [is]);
  const colours = `${theme.value} ${palette.value}`;
  useEffect(() => screen.current?.paint(), [colours]);

  const lost = gateway.value.state === 'lost';
  useLayoutEffect(() => {
    if (!lost) setNote('');
  }, [lost]);
  const s = stream.current?.state.value;
  const own = s?.mode === 'own' && s.state === 'on';
  // What is typed next belongs to the port, and not to the keys of the page.
  useLayoutEffect(() => {
    if (own) screen.current?.focus();
  }, [own]);
  const has = s?.owner || String(owner?.point.value?.value ?? '');
  const forbidden = viewer.value || s?.writable === false;
  const may = s?.writable === true && !viewer.value;
  useLayoutEffect(() => {
    takeable.value = may ? device : '';
    return () => void (takeable.value = '');
  }, [device, may]);

  const resume = () => {
    isPaused.current = false;
    setPaused(false);
    setWaiting(0);
    const waited = queue.current.all();
    queue.current = new Tape(held);
    for (const piece of waited) show(piece);
  };
  const file = () => {
    if (filed.current === null) {
      filed.current = new Tape(logged);
      return setSince(Date.now());
    }
    const text = fileText(filed.current.all());
    const name = `${device}-${at.replaceAll('/', '-')}-${new Date(since ?? Date.now()).toISOString().replace(/[:.]/g, '-')}.log`;
    const link = document.createElement('a');
    link.href = URL.createObjectURL(new Blob([text], { type: 'text/plain' }));
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
    filed.current = null;
    setSince(null);
  };
  const paste = (event: ClipboardEvent) => {
    const text = event.clipboardData?.getData('text') ?? '';
    const many = /[\r\n]/.test(text.replace(/(\r\n|\r|\n)$/, '')) || text.length > 1000;
    if (!many) return; // a short line goes the usual way
    event.preventDefault();
    event.stopPropagation();
    if (!own) return setNote('Only looking: take the port to type.');
    setPasted(text);
  };

  return (
    <section class="card terminal" aria-label="Terminal">
      <div class={`holding ${own ? 'ours' : ''}`}>
        {own ? (
          <>
            <strong>You have the port.</strong>
            <span>{lost ? 'No contact with the gateway: nothing comes, and what you type is not sent.' : !isUnlocked(device) ? 'Locked: what you type is not sent.' : s.open === false ? `The port is not open${s.why ? `: ${s.why}` : ''}. What you type is dropped.` : 'What you type is sent.'}</span>
            <button type="button" class="cap" {...press(() => stream.current?.release())}>
              Give it back
            </button>
            <button
              type="button"
              class={`cap ${isUnlocked(device) ? '' : 'locked'}`}
              {...press(() => {
                if (guard(device) && reached() && stream.current?.order({ type: 'break', ms: pulse })) take({ at: Date.now(), kind: 'note', text: `break of ${pulse} ms sent` });
              })}
            >
              Send break
            </button>
          </>
        ) : (
          <>
            <span>
              <strong>{lost ? 'No stream.' : s?.state === 'on' ? 'Looking.' : s?.state === 'off' ? 'No stream.' : 'Connecting…'}</strong>{' '}
              {lost && 'No contact with the gateway, so nothing comes.'}
              {!lost && s?.state === 'on' && (s.open === false ? 'The port is not open, so nothing comes.' : 'This opens nothing and touches no line.')}
              {s?.trouble && <span class="reason"> {s.trouble}</span>}
              {s?.hint && <span class="quiet"> {s.hint}</span>}
            </span>
            {forbidden ? (
              <Forbidden what="Taking the port is not allowed" device={device} path={at} given={s?.writableKey} />
            ) : (
              <button
                type="button"
                class={`cap ${isUnlocked(device) ? '' : 'locked'}`}
                {...press(() => {
                  if (!guard(device) || !reached()) return;
                  setNote('');
                  stream.current?.own(has !== '');
                })}
              >
                {has ? `Take the port: ${has} loses it` : 'Take the port'}
              </button>
            )}
          </>
        )}
      </div>
      <Tools
        paused={paused}
        waiting={waiting}
        since={since}
        pause={() => {
          isPaused.current = true;
          setPaused(true);
        }}
        resume={resume}
        clear={() => {
          tape.current.clear();
          queue.current = new Tape(held);
          setWaiting(0);
          redraw();
        }}
        file={file}
        find={(text, back) => screen.current?.find(text, back) ?? false}
      />
      {note && (
        <p class="termnote" role="status">
          {note}
        </p>
      )}
      {/* The terminal is a world of its own: it has the focus, types Tab, and is left with Shift and Tab. */}
      <div class={`screen ${own ? 'ours' : ''}`} ref={box} onPasteCapture={paste} role="group" aria-label={`Bytes of ${at}. Shift and Tab leave.`} />
      {s && <Lost s={s} own={own} />}
      {tape.current.forgotten > 0 && <p class="quiet">{tape.current.forgotten.toLocaleString('en')} older bytes are no longer kept on this page.</p>}
      {pasted !== null && (
        <Pasting
          text={pasted}
          close={() => {
            setPasted(null);
            screen.current?.focus();
          }}
          send={send}
        />
      )}
    </section>
  );
}

const pulse = 250; // ms of a break

/** Lost says who else looks, and what was typed or sent and did not arrive for sure. */
function Lost({ s, own }: { s: PortState; own: boolean }) {
  const others = Math.max(0, s.observers - (own ? 0 : 1));
  const count = (n: number, what: string) => `${n.toLocaleString('en')} ${n === 1 ? 'byte' : 'bytes'} ${what}`;
  const lost = [s.dropped > 0 && count(s.dropped, 'could not be sent and were dropped'), s.uncertain > 0 && count(s.uncertain, 'were sent and may not have arrived')].filter(Boolean);
  return (
    <>
      {lost.length > 0 && <p class="reason">Since the port was opened: {lost.join('; ')}.</p>}
      {others > 0 && <p class="quiet">{others === 1 ? 'Somebody else looks' : `${others} others look`} at this port.</p>}
    </>
  );
}

interface ToolsProps {
  paused: boolean;
  waiting: number;
  since: number | null;
  pause: () => void;
  resume: () => void;
  clear: () => void;
  file: () => void;
  find: (text: string, back: boolean) => boolean;
}

const views: [View, string][] = [['text', 'Text'], ['hex', 'Hex'], ['both', 'Both']];
const stamps: [Stamps, string][] = [['off', 'no times'], ['line', 'time of each line'], ['burst', 'time of each burst']];
const mappings: [Mapping, string][] = [['none', 'as it comes'], ['cr-crlf', 'CR ends a line'], ['lf-crlf', 'LF ends a line']];
const endings: [Ending, string][] = [['cr', 'CR'], ['lf', 'LF'], ['crlf', 'CR LF']];

function Tools({ paused, waiting, since, pause, resume, clear, file, find }: ToolsProps) {
  const [wanted, setWanted] = useState('');
  const [missing, setMissing] = useState(false);
  const is = look.value;
  const set = (part: Partial<Look>) => (look.value = { ...look.peek(), ...part });
  const seek = (back: boolean) => setMissing(wanted !== '' && !find(wanted, back));
  return (
    <div class="tools">
      <div class="segments" role="group" aria-label="Show as">
        {views.map(([v, name]) => (
          <button type="button" key={v} aria-pressed={is.view === v} onClick={() => set({ view: v })}>
            {name}
          </button>
        ))}
      </div>
      <Choose label="Times" of={stamps} is={is.stamps} set={(v) => set({ stamps: v })} />
      <Choose label="Received" of={mappings} is={is.mapping} set={(v) => set({ mapping: v })} />
      <Choose label="Enter sends" of={endings} is={ending.value} set={(v) => (ending.value = v)} />
      <label class="check">
        <input type="checkbox" checked={is.echo} onChange={(event) => set({ echo: event.currentTarget.checked })} /> local echo
      </label>
      <button type="button" class={`small ${paused ? 'active' : ''}`} aria-pressed={paused} onClick={paused ? resume : pause}>
        {paused ? `Go on (${waiting.toLocaleString('en')} bytes wait)` : 'Pause'}
      </button>
      <button type="button" class="small" onClick={clear}>
        Clear
      </button>
      <button type="button" class={`small ${since ? 'active' : ''}`} aria-pressed={since !== null} onClick={file}>
        {since ? `Save the log since ${stampText(since).slice(0, 8)}` : 'Log to file'}
      </button>
      <form
        class="seek"
        role="search"
        onSubmit={(event) => {
          event.preventDefault();
          seek(true);
        }}
      >
        <input
          type="search"
          aria-label="Find in the terminal"
          placeholder="Find"
          value={wanted}
          onInput={(event) => {
            setWanted(event.currentTarget.value);
            setMissing(false);
          }}
        />
        <button type="submit" class="small" aria-label="Find earlier">
          ↑
        </button>
        <button type="button" class="small" aria-label="Find later" onClick={() => seek(false)}>
          ↓
        </button>
        {missing && <span role="status">not found</span>}
      </form>
    </div>
  );
}

function Choose<T extends string>({ label, of, is, set }: { label: string; of: [T, string][]; is: T; set: (v: T) => void }) {
  return (
    <label class="choose">
      {label}
      <select value={is} onChange={(event) => set(event.currentTarget.value as T)}>
        {of.map(([v, name]) => (
          <option key={v} value={v}>
            {name}
          </option>
        ))}
      </select>
    </label>
  );
}

/** Pasting asks before several lines go to a device that may take each for a command, and can pace them. */
function Pasting({ text, close, send }: { text: string; close: () => void; send: (text: string) => boolean }) {
  const box = useRef<HTMLDialogElement>(null);
  const [wait, setWait] = useState(0);
  const [sent, setSent] = useState(-1);
  const [stopped, setStopped] = useState(false);
  const timer = useRef(0);
  useLayoutEffect(() => {
    box.current?.showModal();
    return () => clearTimeout(timer.current);
  }, []);
  const lines = text.replace(/(\r\n|\r|\n)$/, '').split(/\r\n|\r|\n/);
  const start = () => {
    if (wait === 0) {
      if (!send(text)) return setStopped(true);
      return close();
    }
    const next = (i: number) => {
      if (i >= lines.length) return close();
      if (!send(`${lines[i]}\n`)) return setStopped(true);
      setSent(i + 1);
      timer.current = window.setTimeout(() => next(i + 1), wait);
    };
    next(0);
  };
  return (
    <dialog ref={box} class="sheet" aria-labelledby="paste-title" onClose={close}>
      <h2 id="paste-title">
        Send {lines.length === 1 ? 'this line' : `${lines.length.toLocaleString('en')} lines`}
        {text.length > 1000 && `, ${text.length.toLocaleString('en')} characters`}?
      </h2>
      <pre class="pasted">{lines.slice(0, 8).map((l) => (l.length > 200 ? `${l.slice(0, 200)}…` : l)).join('\n')}{lines.length > 8 ? '\n…' : ''}</pre>
      <label class="setting">
        <span>Pause behind each line</span>
        <select value={wait} disabled={sent >= 0} onChange={(event) => setWait(Number(event.currentTarget.value))}>
          {[0, 50, 200, 1000].map((ms) => (
            <option key={ms} value={ms}>
              {ms === 0 ? 'none' : `${ms} ms`}
            </option>
          ))}
        </select>
      </label>
      {sent >= 0 && (
        <p role="status">
          {sent} of {lines.length} sent
        </p>
      )}
      {stopped && (
        <p class="refusal" role="alert">
          {sent > 0 ? 'The rest was' : 'It was'} not sent: the panel is locked, or somebody else has the port now.
        </p>
      )}
      <div class="actions">
        <button type="button" class="cap" onClick={close}>
          {stopped ? 'Close' : sent >= 0 ? 'Stop' : 'Do not send'}
        </button>
        {sent < 0 && !stopped && (
          <button type="button" class="cap" onClick={start}>
            Send
          </button>
        )}
      </div>
    </dialog>
  );
}
