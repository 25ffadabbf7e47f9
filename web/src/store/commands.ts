import { effect, signal } from '@preact/signals';
import * as api from '../api/client.ts';
import type { Command, LabelSets } from '../api/types.ts';
import { stranger } from './session.ts';
import { shelf } from './store.ts';

export interface Commands {
  device: string;
  list: Command[];
  labels: LabelSets;
}

const none: Commands = { device: '', list: [], labels: {} };

/** The commands of the device that is followed. They come and go with the points that are told beside them. */
export const commands = signal<Commands>(none);

const followed = signal('');
const followers = new Map<string, { count: number; stop: () => void }>();

/** followCommands keeps `commands` of one device until the returned function is called. Several views may follow the same one. */
export function followCommands(device: string): () => void {
  const known = followers.get(device);
  if (known) known.count++;
  else followers.set(device, { count: 1, stop: follow(device) });
  return () => {
    const f = followers.get(device);
    if (!f || --f.count > 0) return;
    f.stop();
    followers.delete(device);
    if (followed.peek() !== device) return; // another one has taken its place
    followed.value = '';
    commands.value = none; // nobody would notice when they change
  };
}

function follow(device: string): () => void {
  followed.value = device;
  let timer = 0;
  const stop = effect(() => {
    shelf(device)?.shape.value;
    clearTimeout(timer);
    if (stranger.value) {
      commands.value = none; // whoever comes next may be allowed less
      return;
    }
    // Points and their commands come in bursts, when a link comes up.
    timer = window.setTimeout(() => void read(device), 150);
  });
  return () => {
    stop();
    clearTimeout(timer);
  };
}

async function read(device: string): Promise<void> {
  try {
    const news = await api.commands(device);
    if (followed.peek() === device) commands.value = { device, list: news.commands, labels: news.labels };
  } catch {
    return; // the link and the event stream say what is wrong
  }
}
