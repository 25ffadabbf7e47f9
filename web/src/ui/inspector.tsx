import { useLayoutEffect, useRef } from 'preact/hooks';
import type { Entry } from '../store/store.ts';
import { entry } from '../store/store.ts';
import { now, pageTime } from '../store/clock.ts';
import { me } from '../store/session.ts';
import { closeInspector, inspected } from '../store/inspect.ts';
import { stamp, span, words } from '../model/format.ts';
import { hasRange, rangeWords } from '../model/entry.ts';
import { prometheusLine, readLines, writeLines } from '../model/lines.ts';
import { Control } from './control.tsx';
import { CopyLine } from './copy.tsx';
import { Plot } from './plot.tsx';
import { Rows } from './rows.tsx';
import { Value } from './value.tsx';

const grades: Record<string, string> = {
  spec: 'spec: the maker’s own document says so',
  seen: 'seen: observed on real equipment',
  inferred: 'inferred: follows from what was seen',
  guess: 'guess: nobody has checked',
};

/** Inspector is everything about one point, beside the panel: value, past, control, facts, lines to copy. */
export function Inspector() {
  const at = inspected.value;
  const box = useRef<HTMLElement>(null);
  const place = at ? `${at.device}/${at.path}` : '';
  // At once: later it would take the focus away from whoever types into the entry already.
  useLayoutEffect(() => box.current?.focus({ preventScroll: true }), [place]);
  if (!at) return null;
  const e = entry(at.device, at.path);
  return (
    <aside class="inspector" ref={box} tabIndex={-1} aria-label={`Details of ${at.path}`} key={place}>
      <header>
        <div>
          <h2>{e?.spec.value.title || at.path}</h2>
          <p class="path">{at.path}</p>
        </div>
        <button type="button" class="small close" aria-label="Close details" onClick={closeInspector}>
          Close
        </button>
      </header>
      {e ? <Details e={e} /> : <p class="quiet">The device no longer has this point.</p>}
    </aside>
  );
}

function Details({ e }: { e: Entry }) {
  const spec = e.spec.value;
  const point = e.point.value;
  const numeric = spec.kind === 'int' || spec.kind === 'float' || spec.kind === 'bool';
  const received = pageTime(point?.received);
  const reach = { origin: location.origin, login: me.value?.access === 'login' };
  const bad = point !== null && point.quality !== 'good';
  return (
    <>
      <div class="big">{spec.kind === 'list' ? <Rows e={e} /> : <Value e={e} why={false} />}</div>
      {bad && (
        <p class="badness">
          {point.quality === 'bad' ? 'Bad' : 'Uncertain'}: {words(point.reason || 'no reason given')}
          {received > 0 && `. Last heard ${span(now.value - received)} ago.`}
        </p>
      )}
      {spec.doc && <p class="doc">{spec.doc}</p>}
      {numeric && <Plot e={e} />}
      <Control e={e} />
      <dl class="facts">
        {received > 0 && <Fact name="Last change" text={stamp(received, now.value)} />}
        {hasRange(spec) && <Fact name="Range" text={rangeWords(spec)} />}
        <Fact name="Kind" text={[spec.kind, spec.unit].filter(Boolean).join(', ')} />
        {spec.rate && <Fact name="Rate" text={spec.rate} />}
        {spec.role && <Fact name="Role" text={spec.role} />}
        {spec.grade && <Fact name="Evidence" text={grades[spec.grade] ?? spec.grade} />}
        {Object.entries(spec.attributes ?? {}).map(([name, text]) => (
          <Fact key={name} name={words(name)} text={text} />
        ))}
      </dl>
      <h3>Lines to copy</h3>
      {readLines(reach, e.device, e.path).map((l) => (
        <CopyLine key={`r${l.door}`} {...l} />
      ))}
      {spec.kind !== 'string' && spec.kind !== 'list' && spec.kind !== 'bytes' && spec.kind !== 'none' && (
        <CopyLine {...prometheusLine(e.device, e.path, spec.kind === 'enum')} />
      )}
      {spec.writable &&
        writeLines(reach, e.device, e.path, String(point?.value ?? 0)).map((l) => <CopyLine key={`w${l.door}`} {...l} />)}
    </>
  );
}

function Fact({ name, text }: { name: string; text: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{text}</dd>
    </div>
  );
}
