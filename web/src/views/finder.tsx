import { useState } from 'preact/hooks';
import * as api from '../api/client.ts';
import type { Probe, ProbeStep } from '../api/types.ts';
import { hexWords } from '../model/format.ts';
import { configurationOf } from '../model/lines.ts';
import { CopyLine } from '../ui/copy.tsx';

/** Finder asks the gateway what stands at an address, shows each step, and gives the lines for the configuration. */
export function Finder() {
  const [address, setAddress] = useState('');
  const [busy, setBusy] = useState(false);
  const [found, setFound] = useState<Probe | null>(null);
  const [wrong, setWrong] = useState({ text: '', hint: '' });
  const submit = async (event: Event) => {
    event.preventDefault();
    if (busy) return;
    const asked = address.trim();
    setFound(null);
    setWrong({ text: asked ? '' : 'The address is missing.', hint: asked ? '' : 'The device shows it on its network screen, for example 192.0.2.21.' });
    if (!asked) return;
    setBusy(true);
    try {
      setFound(await api.probe(asked));
    } catch (e) {
      const r = e instanceof api.Refusal ? e : new api.Refusal({ detail: String(e) });
      setWrong({ text: r.message, hint: r.hint });
    }
    setBusy(false);
  };
  return (
    <section class="probe" aria-label="Find out what stands at an address">
      <form class="entry" noValidate onSubmit={submit}>
        <label class="spoken" for="address">
          Address of the device
        </label>
        <input
          id="address"
          autocomplete="off"
          autocapitalize="none"
          spellcheck={false}
          placeholder="192.0.2.21"
          value={address}
          onInput={(event) => setAddress(event.currentTarget.value)}
        />
        <button type="submit" class={`cap ${busy ? 'sent' : ''}`} disabled={busy}>
          {busy ? 'Asking…' : 'Find out what this is'}
        </button>
      </form>
      <p class="quiet">Only asks, and changes nothing there. The gateway connects to the ports that belong to a protocol it knows.</p>
      <div role="status">
        {busy && <p class="quiet">Each step waits up to 5 s for an answer.</p>}
        {wrong.text && (
          <div class="outcome refusal">
            {wrong.text}
            {wrong.hint && <p class="hint">{wrong.hint}</p>}
          </div>
        )}
        {found && <Result found={found} />}
      </div>
    </section>
  );
}

function Result({ found }: { found: Probe }) {
  return (
    <>
      <p class="verdict">
        <strong>{found.verdict}</strong>
      </p>
      {found.advice && !found.match && <p>{found.advice}</p>}
      {found.urls.map((url) => (
        <CopyLine key={url} door="the configuration" line={configurationOf(url)} />
      ))}
      <ol class="steps">
        {found.steps.map((s, i) => (
          <Step key={i} s={s} />
        ))}
      </ol>
    </>
  );
}

function Step({ s }: { s: ProbeStep }) {
  return (
    <li>
      <p>
        <strong>{s.step}</strong> <span class="path">{s.target}</span> <span class={`stage-word ${s.outcome === 'ok' ? 'fine' : 'open'}`}>{s.outcome}</span>{' '}
        <span class="quiet digits">{s.took_ms} ms</span>
      </p>
      <p>{s.meaning}</p>
      {s.found?.map((line) => (
        <p key={line}>{line}</p>
      ))}
      {s.advice && <p class="quiet">{s.advice}</p>}
      {s.sent && (
        <p class="quiet">
          sent <code>{hexWords(s.sent)}</code>
        </p>
      )}
      {s.received && (
        <p class="quiet">
          received <code>{hexWords(s.received)}</code>
        </p>
      )}
    </li>
  );
}
