import type { Command, Value } from '../api/types.ts';
import type { Entry } from '../store/store.ts';
import { guard } from '../store/lock.ts';
import { perform, touch, write } from '../store/writing.ts';
import { sheet } from './sheet.tsx';

interface How {
  safe?: boolean; // towards the safe side: needs permission and no unlocking
  again?: boolean; // also while an earlier press is under way
}

/** askWrite is what a press of a control does: the lock, the sheet of a hazard write, or the write. `text` is the value in words. */
export function askWrite(e: Entry, value: Value, text: string, { safe = false, again = false }: How = {}): void {
  const spec = e.spec.peek();
  if (!spec.writable || (!safe && !guard(e.device))) return;
  touch(e.device, e.path);
  if (spec.hazard === 'hazard') sheet.value = { e, value, text };
  else void write(e.device, e.path, value, { again });
}

/** askCommand is the same for a command. */
export function askCommand(device: string, c: Command, title: string, args: Record<string, Value> = {}): void {
  if (!c.writable || !guard(device)) return;
  touch(device, c.path);
  const act = () => void perform(device, c.path, args, { again: true });
  if (c.hazard === 'hazard') sheet.value = { device, path: c.path, title, text: '', act };
  else act();
}
