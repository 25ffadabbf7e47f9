import { computed, signal } from '@preact/signals';

/** Where the page is: the list of devices, one device with a tab beside its panel, one tally, or the log of the gateway. */
export interface Route {
  device: string; // '' is the list
  tab: string; // '' is the panel
  wall: boolean;
  place: 'devices' | 'device' | 'log' | 'tally' | ''; // '': no such address
  port: string; // of a panel with several ports: the number of the one that is shown
  input: string; // of a tally: the source, by its number or one of its names
}

const href = signal(location.pathname + location.search);

export function parse(address: string): Route {
  const url = new URL(address, 'http://page');
  const tab = url.searchParams.get('tab') ?? '';
  const wall = url.searchParams.has('wall');
  const port = url.searchParams.get('port') ?? '';
  const match = /^\/d\/([^/]+)\/?$/.exec(url.pathname);
  if (match) return { device: decodeURIComponent(match[1]!), tab, wall, place: 'device', port, input: '' };
  const lamp = /^\/tally\/([^/]+)\/([^/]+)\/?$/.exec(url.pathname);
  if (lamp) return { device: decodeURIComponent(lamp[1]!), tab: '', wall: true, place: 'tally', port: '', input: decodeURIComponent(lamp[2]!) };
  const list = url.pathname === '/' || url.pathname === '/index.html';
  return { device: '', tab: '', wall, place: list ? 'devices' : url.pathname === '/log' ? 'log' : '', port: '', input: '' };
}

export const route = computed(() => parse(href.value));

export function addressOf(device: string, tab = ''): string {
  return `/d/${encodeURIComponent(device)}${tab ? `?tab=${tab}` : ''}`;
}

export function go(address: string): void {
  history.pushState(null, '', address);
  href.value = location.pathname + location.search;
  scrollTo(0, 0);
}

/** startRouting follows the browser's own buttons, and the page's links without loading it again. */
export function startRouting(): void {
  addEventListener('popstate', () => (href.value = location.pathname + location.search));
  addEventListener('click', (event) => {
    if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const link = (event.target as Element).closest?.('a');
    if (!link || link.target || link.origin !== location.origin || link.pathname.startsWith('/api')) return;
    event.preventDefault();
    go(link.pathname + link.search);
  });
}
