import { signal } from '@preact/signals';

/**
 * The byte stream of a serial port, over a WebSocket at
 *
 *   /api/v1/devices/NAME/stream?path=ports/3&mode=observe|own[&take=true]
 *
 * Binary messages are bytes: from the port to everybody, and to the port from the one who owns it. Text messages are JSON:
 * from the gateway {"type":"gap","bytes":1204}, {"type":"state","open":true,"owner":"anna (http)","observers":2,"why":""},
 * {"type":"taken","who":"ben (http)"}, {"type":"dropped","bytes":7}, {"type":"error","text":"…","hint":"…"}; from the page
 * {"type":"break","ms":250} and {"type":"flush"}. Observing opens nothing and touches no line.
 */
export interface PortState {
  state: 'connecting' | 'on' | 'off';
  mode: 'observe' | 'own';
  open: boolean | null; // of the port itself, when the gateway has told
  owner: string;
  observers: number;
  text: string; // why not, or what happened last
  hint: string;
}

export interface Listener {
  bytes: (bytes: Uint8Array) => void;
  gap: (bytes: number) => void;
  note: (text: string) => void; // something that stands between the bytes
}

const first: PortState = { state: 'connecting', mode: 'observe', open: null, owner: '', observers: 0, text: '', hint: '' };
const most = 60_000; // bytes of one message

/** PortStream listens to one port, and comes back by itself. It owns a port only when it is told to, and never again by itself. */
export class PortStream {
  readonly state = signal<PortState>(first);
  private socket: WebSocket | null = null;
  private timer = 0;
  private over = false;
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
  order(command: { type: 'break'; ms: number } | { type: 'flush' }): boolean {
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
    this.state.value = { ...before, state: 'connecting', mode };
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
      if (socket === this.socket) this.state.value = { ...this.state.peek(), state: 'on', mode, text: '', hint: '' };
    };
    socket.onmessage = (event: MessageEvent<ArrayBuffer | string>) => {
      if (socket !== this.socket) return;
      if (typeof event.data !== 'string') return this.listener.bytes(new Uint8Array(event.data));
      this.told(JSON.parse(event.data) as Told);
    };
    socket.onclose = (event) => {
      if (socket !== this.socket || this.over) return;
      const now = this.state.peek();
      const text = event.reason || now.text || (opened ? 'The gateway ended the stream.' : 'The gateway gives no stream of this port.');
      this.state.value = { ...now, state: 'off', mode: 'observe', text };
      if (opened && mode === 'own') this.listener.note(`port given up: ${text}`);
      // Whoever owned goes on as one who looks; the port is taken again by hand only.
      this.timer = window.setTimeout(() => this.connect('observe', false), mode === 'own' ? 200 : 2000);
    };
  }

  private told(news: Told): void {
    const now = this.state.peek();
    switch (news.type) {
      case 'gap':
        return this.listener.gap(news.bytes ?? 0);
      case 'state':
        this.state.value = {
          ...now,
          open: news.open ?? null,
          owner: news.owner ?? '',
          observers: news.observers ?? 0,
          text: news.why ?? '',
          hint: '',
        };
        return;
      case 'dropped':
        return this.listener.note(`${(news.bytes ?? 0).toLocaleString('en')} bytes were not sent: the port was not open`);
      case 'taken':
        this.state.value = { ...now, text: `${news.who || 'Somebody else'} has taken the port.` };
        return;
      case 'error':
        this.state.value = { ...now, text: news.text ?? '', hint: news.hint ?? '' };
    }
  }
}

interface Told {
  type: string;
  bytes?: number;
  open?: boolean;
  owner?: string;
  observers?: number;
  why?: string;
  who?: string;
  text?: string;
  hint?: string;
}
