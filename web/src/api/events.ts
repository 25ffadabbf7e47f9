import { signal } from '@preact/signals';

/** How the page stands with its gateway. `since` is in page time, milliseconds. */
export interface Gateway {
  state: 'connecting' | 'up' | 'lost';
  since: number;
  version: string;
}

export const gateway = signal<Gateway>({ state: 'connecting', since: Date.now(), version: '' });

const silence = 5000; // the gateway says something every 2 s; two missed and a margin
const retry = 2000;
const names = ['hello', 'reset', 'specs', 'points', 'gone', 'write', 'ping'] as const;

export type EventName = (typeof names)[number];
export type Handler = (name: EventName, data: never, resumed: boolean) => void;

/**
 * Events is the one event stream of a tab. It follows one selection at a time, resumes where it stopped, and turns
 * `gateway` to lost when nothing was heard for 5 s, whatever the browser thinks of the connection. `broken` is called
 * when a stream ends, because one reason is that the gateway no longer knows who reads it.
 */
export class Events {
  private source: EventSource | null = null;
  private query = '';
  private last = ''; // id of the newest event of this selection
  private heard = 0;
  private opened = 0;
  private readonly handle: Handler;
  private readonly broken: () => void;

  constructor(handle: Handler, broken: () => void) {
    this.handle = handle;
    this.broken = broken;
    setInterval(() => this.watch(), 500);
  }

  /** follow switches to another selection; the same one again changes nothing. */
  follow(query: string): void {
    if (query === this.query && this.source) return;
    this.query = query;
    this.last = '';
    this.open();
  }

  /** pause closes the stream; resume goes on where it stopped, or from the beginning. */
  pause(): void {
    this.source?.close();
    this.source = null;
  }

  resume(afresh: boolean): void {
    if (afresh) this.last = '';
    this.heard = 0;
    this.open();
  }

  private open(): void {
    this.source?.close();
    const query = new URLSearchParams(this.query);
    const resumed = this.last !== '';
    if (resumed) query.set('since', this.last);
    const source = new EventSource(`/api/v1/events?${query}`);
    this.source = source;
    this.opened = performance.now();
    source.addEventListener('error', () => {
      if (source === this.source) this.broken();
    });
    for (const name of names) {
      source.addEventListener(name, (event) => {
        if (source !== this.source) return;
        const message = event as MessageEvent<string>;
        this.heard = performance.now();
        const data = JSON.parse(message.data) as { version?: string };
        if (gateway.value.state !== 'up') {
          gateway.value = { state: 'up', since: Date.now(), version: data.version ?? gateway.value.version };
        }
        this.handle(name, data as never, this.last !== '');
        if (message.lastEventId) this.last = message.lastEventId;
      });
    }
  }

  private watch(): void {
    if (!this.source) return;
    const now = performance.now();
    const quiet = now - Math.max(this.heard, this.opened);
    const broken = this.source.readyState !== EventSource.OPEN;
    if (gateway.value.state !== 'lost' && now - this.heard > (broken ? retry : silence) && quiet > retry) {
      gateway.value = { ...gateway.value, state: 'lost', since: Date.now() - (this.heard ? now - this.heard : 0) };
    }
    if (this.source.readyState === EventSource.CLOSED ? quiet > retry : quiet > silence) this.open();
  }
}
