import { signal } from '@preact/signals';

/**
 * The byte stream of a serial port, over a WebSocket at
 *
 *   /api/v1/devices/NAME/stream?path=ports/3&mode=observe|own[&take=true]
 *
 * Binary messages are bytes: from the port to everybody, and to the port from the one who owns it. Text messages are JSON,
 * described in docs/guide/http.md: line, gap, dropped and error from the gateway, break and flush from the page. Observing
 * opens nothing and touches no line.
 */
export interface PortState {
  state: 'connecting' | 'on' | 'off';
  mode: 'observe' | 'own';
  open: boolean | null; // of the port itself, when the gateway has told
  owner: string;
  observers: number; // who only look, this page too when it does
  dropped: number; // bytes that could not be sent since the port was opened
  uncertain: number; // bytes that were sent, and of which nobody knows whether they have arrived
  writable: boolean | null; // this page may own the port, when the gateway has told
  writableKey: string; // what would allow it
  why: string; // why the port is not open
  trouble: string; // what went wrong with the stream itself; about taking the port it stays until the next try
  hint: string;
  about: 'observe' | 'own'; // what went wrong
}

export interface Listener {
  bytes: (bytes: Uint8Array) => void;
  gap: (bytes: number) => void;
  note: (text: string) => void; // something that stands between the bytes
}

const first: PortState = { state: 'connecting', mode: 'observe', open: null, owner: '', observers: 0, dropped: 0, uncertain: 0, writable: null, writableKey: '', why: '', trouble: '', hint: '', about: 'observe' };
const quiet = { trouble: '', hint: '' };
const most = 60_000; // bytes of one message

/** PortStream listens to one port, and comes back by itself. It owns a port only when it is told to, and never again by itself. */
export class PortStream {
  readonly state = signal<PortState>(first);
  private socket: WebSocket | null = null;
  private timer = 0;
  private over = false;
  private resting = false;
  private readonly device: string;
  private readonly path: string;
  private readonly listener: Listener;

  constructor(device: string, path: string, listener: Listener) {
    this.device = device;
    this.path = path;
    this.listener = listener;
    this.connect('observe', false);
  }

  /** own asks for the port; with take its present owner loses it. */
  own(take: boolean): void {
    this.connect('own', take);
  }

  /** release gives the port back and goes on observing. */
  release(): void {
    this.connect('observe', false);
  }

  /** rest keeps the stream from coming back by itself while nobody is signed in. */
  rest(resting: boolean): void {
    const wake = this.resting && !resting && this.state.peek().state === 'off';
    this.resting = resting;
    if (wake) this.connect('observe', false);
  }

  close(): void {
    this.over = true;
    clearTimeout(this.timer);
    this.drop();
  }

  /** send gives bytes to the port, and says whether they left the page. Nothing is kept for later. */
  send(bytes: Uint8Array): boolean {
    if (!this.owns()) return false;
    for (let at = 0; at < bytes.length; at += most) this.socket!.send(bytes.slice(at, at + most));
    return true;
  }

  /** order sends a command to the port. */
  order(command: { type: 'break'; ms: number } | { type: 'flush'; in: boolean; out: boolean }): boolean {
    if (!this.owns()) return false;
    this.socket!.send(JSON.stringify(command));
    return true;
  }

  private owns(): boolean {
    const { state, mode } = this.state.peek();
    return state === 'on' && mode === 'own' && this.socket?.readyState === WebSocket.OPEN;
  }

  private drop(): void {
    const old = this.socket;
    this.socket = null;
    old?.close();
  }

  private connect(mode: 'observe' | 'own', take: boolean): void {
    clearTimeout(this.timer);
    this.drop();
    if (this.over) return;
    const before = this.state.peek();
    this.state.value = { ...before, state: 'connecting', mode, ...(mode === 'own' && quiet) };
    const query = new URLSearchParams({ path: this.path, mode });
    if (take) query.set('take', 'true');
    const address = new URL(`/api/v1/devices/${encodeURIComponent(this.device)}/stream?${query}`, location.href);
    address.protocol = address.protocol === 'https:' ? 'wss:' : 'ws:';
    const socket = new WebSocket(address);
    socket.binaryType = 'arraybuffer';
    this.socket = socket;
    let opened = false;
    socket.onopen = () => {
      opened = true;
      if (socket !== this.socket) return;
      const now = this.state.peek();
      this.state.value = { ...now, state: 'on', mode, ...((mode === 'own' || now.about === 'observe') && quiet) };
    };
    socket.onmessage = (event: MessageEvent<ArrayBuffer | string>) => {
      if (socket !== this.socket) return;
      if (typeof event.data !== 'string') return this.listener.bytes(new Uint8Array(event.data));
      this.told(JSON.parse(event.data) as Told);
    };
    socket.onclose = (event) => {
      if (socket !== this.socket || this.over) return;
      const now = this.state.peek();
      const text = event.reason || (opened ? 'The gateway ended the stream.' : 'The gateway gives no stream of this port.');
      if (mode === 'own' || now.about === 'observe' || !now.trouble) this.state.value = { ...now, state: 'off', mode: 'observe', trouble: text, hint: '', about: mode };
      else this.state.value = { ...now, state: 'off', mode: 'observe' };
      if (opened && mode === 'own') this.listener.note(`no longer the owner of the port: ${text}`);
      if (!opened) void this.explain(address);
      // Whoever owned goes on as one who looks; the port is taken again by hand only.
      this.timer = window.setTimeout(() => !this.resting && this.connect('observe', false), mode === 'own' ? 200 : 2000);
    };
  }

  /** explain asks in the plain way why there is no stream: browsers keep the answer to a refused WebSocket to themselves. */
  private async explain(address: URL): Promise<void> {
    try {
      const answer = await fetch(address.pathname + address.search, { signal: AbortSignal.timeout(3000) });
      const problem = answer.status >= 400 && answer.status !== 426 ? ((await answer.json()) as { detail?: string; hint?: string }) : null;
      if (problem?.detail && !this.over) this.state.value = { ...this.state.peek(), trouble: `${problem.detail}.`, hint: problem.hint ?? '' };
    } catch {
      return; // the bar says that the gateway is lost
    }
  }

  private told(news: Told): void {
    const now = this.state.peek();
    switch (news.type) {
      case 'gap':
        return this.listener.gap(news.bytes ?? 0);
      case 'line':
        this.state.value = {
          ...now,
          open: news.open ?? null,
          owner: news.owner ?? '',
          observers: news.observers ?? 0,
          dropped: news.dropped ?? 0,
          uncertain: news.uncertain ?? 0,
          writable: news.writable ?? null,
          writableKey: news.writable_key ?? '',
          why: news.open ? '' : (news.why ?? ''),
        };
        return;
      case 'dropped':
        return this.listener.note(`${(news.bytes ?? 0).toLocaleString('en')} bytes were not sent: the port is not open`);
      case 'error':
        return this.listener.note([news.text, news.hint].filter(Boolean).join('; '));
    }
  }
}

interface Told {
  type: string;
  bytes?: number;
  open?: boolean;
  owner?: string;
  observers?: number;
  dropped?: number;
  uncertain?: number;
  writable?: boolean;
  writable_key?: string;
  why?: string;
  text?: string;
  hint?: string;
}
