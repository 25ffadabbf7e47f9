import { useState } from 'preact/hooks';
import type { Line } from '../model/lines.ts';

/** CopyLine shows a ready line and copies it. Where the browser forbids that, it selects the text instead. */
export function CopyLine({ door, line }: Line) {
  const [done, setDone] = useState('');
  const copy = async (event: Event) => {
    const code = (event.currentTarget as HTMLElement).parentElement?.querySelector('code');
    try {
      await navigator.clipboard.writeText(line);
      setDone('Copied');
    } catch {
      if (code) getSelection()?.selectAllChildren(code);
      setDone('Selected');
    }
    setTimeout(() => setDone(''), 2000);
  };
  return (
    <div class="copyline">
      <code tabIndex={0}>{line}</code>
      <button type="button" class="small" aria-label={`Copy the line for ${door}`} onClick={copy}>
        {done || 'Copy'}
      </button>
    </div>
  );
}
