import { byPath } from './tree.ts';

const root = '_clients/';

// What is asked first stands first; everything else follows in the order of its paths.
const order = ['listen', 'count', 'address', 'user', 'since', 'requests-per-second', 'refused', 'requests', 'bytes', 'channel'];

interface Told {
  path: string;
  spec: { peek(): { title?: string; unit?: string } };
}

export interface Client<E> {
  path: string; // "_clients/7"
  points: Map<string, E>; // by the last part of their paths
}

/** isOfClients says whether a point is about the programs that use a device, and not about the device. */
export const isOfClients = (path: string): boolean => path.startsWith(root);

/** clientsOf sorts the points below _clients: those of the server itself, and those of each program, with common columns. */
export function clientsOf<E extends Told>(entries: readonly E[]): { own: E[]; clients: Client<E>[]; columns: { name: string; title: string }[] } {
  const own: E[] = [];
  const clients = new Map<string, Client<E>>();
  const columns = new Map<string, string>();
  for (const e of entries) {
    if (!isOfClients(e.path)) continue;
    const [id, ...rest] = e.path.slice(root.length).split('/');
    if (rest.length === 0) {
      own.push(e);
      continue;
    }
    const path = root + id;
    const name = rest.join('/');
    let client = clients.get(path);
    if (!client) clients.set(path, (client = { path, points: new Map() }));
    client.points.set(name, e);
    columns.set(name, e.spec.peek().title || name.replaceAll('-', ' '));
  }
  const rank = (name: string) => (order.includes(name) ? order.indexOf(name) : order.length);
  return {
    own: own.sort((a, b) => rank(a.path.slice(root.length)) - rank(b.path.slice(root.length)) || byPath(a.path, b.path)),
    clients: [...clients.values()].sort((a, b) => byPath(a.path, b.path)),
    columns: [...columns].map(([name, title]) => ({ name, title })).sort((a, b) => rank(a.name) - rank(b.name) || byPath(a.name, b.name)),
  };
}
