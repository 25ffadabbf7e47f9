import { FitAddon } from '@xterm/addon-fit';
import { SearchAddon } from '@xterm/addon-search';
import { Terminal } from '@xterm/xterm';
import '@xterm/xterm/css/xterm.css';

export interface Screen {
  write: (part: string | Uint8Array) => void;
  clear: () => void;
  focus: () => void;
  columns: () => number;
  find: (text: string, back: boolean) => boolean;
  paint: () => void; // takes the colours of the page again
  close: () => void;
}

// The page's Content-Security-Policy forbids style elements and style attributes, and the terminal makes both. What follows
// gives it the same rules in allowed ways: sheets that the page adopts, and properties of elements.

HTMLSpanElement.prototype.setAttribute = function (name: string, value: string) {
  if (name === 'style') this.style.cssText = value;
  else Element.prototype.setAttribute.call(this, name, value);
};

/** opening opens a terminal in a box; the style elements that it makes meanwhile stand for adopted sheets. */
function opening(term: Terminal, box: HTMLElement): void {
  const native = document.createElement.bind(document);
  document.createElement = ((tag: string) => (tag === 'style' ? sheetElement() : native(tag))) as typeof document.createElement;
  try {
    term.open(box);
  } finally {
    delete (document as { createElement?: unknown }).createElement; // the prototype's is left
  }
}

/** sheetElement stands for a style element: what is written into it becomes a sheet of the page, until it is removed. */
function sheetElement(): HTMLElement {
  const sheet = new CSSStyleSheet();
  const stand = document.createElement('span');
  stand.hidden = true;
  Object.defineProperty(stand, 'textContent', { set: (text: string) => sheet.replaceSync(text), get: () => '' });
  stand.remove = () => {
    document.adoptedStyleSheets = document.adoptedStyleSheets.filter((s) => s !== sheet);
    Element.prototype.remove.call(stand);
  };
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
  return stand;
}

/** openScreen puts a terminal into a box. `typed` gets what the user types, `resized` says that there are more columns, or fewer; answers to questions of the device are not given. */
export function openScreen(box: HTMLElement, typed: (text: string) => void, resized: () => void): Screen {
  const style = getComputedStyle(box);
  const colour = (name: string) => {
    // Names of two colours are resolved by an element only.
    const probe = document.createElement('span');
    probe.style.color = `var(${name})`;
    box.append(probe);
    const got = getComputedStyle(probe).color;
    probe.remove();
    return got;
  };
  const theme = () => ({
    background: colour('--well'),
    foreground: colour('--text'),
    cursor: colour('--text'),
    cursorAccent: colour('--well'),
    blue: colour('--blue'),
    magenta: colour('--violet'),
    selectionBackground: colour('--edge'),
  });
  const term = new Terminal({
    allowProposedApi: true,
    convertEol: false,
    cursorBlink: false,
    fontFamily: style.getPropertyValue('--mono').trim() || 'monospace',
    fontSize: 14,
    scrollback: 10_000,
    screenReaderMode: false,
    theme: theme(),
  });
  const fit = new FitAddon();
  const search = new SearchAddon();
  term.loadAddon(fit);
  term.loadAddon(search);
  // A terminal answers questions such as "where is the cursor". On a serial line that would send what nobody typed.
  const silent = () => true;
  for (const id of [{ final: 'c' }, { prefix: '>', final: 'c' }, { prefix: '=', final: 'c' }, { final: 'n' }, { prefix: '?', final: 'n' }, { final: 't' },
    { intermediates: '$', final: 'p' }, { prefix: '?', intermediates: '$', final: 'p' }, { prefix: '>', final: 'q' }]) {
    term.parser.registerCsiHandler(id, silent);
  }
  term.parser.registerDcsHandler({ intermediates: '$', final: 'q' }, silent);
  for (const code of [4, 10, 11, 12, 52]) term.parser.registerOscHandler(code, silent);
  // Tab types; Shift and Tab leave.
  term.attachCustomKeyEventHandler((event) => !(event.key === 'Tab' && event.shiftKey));
  opening(term, box);
  fit.fit();
  term.onData(typed);
  let columns = term.cols;
  term.onResize(({ cols }) => {
    if (cols !== columns) resized();
    columns = cols;
  });
  const watch = new ResizeObserver(() => fit.fit());
  watch.observe(box);
  return {
    write: (part) => term.write(part),
    clear: () => term.reset(),
    focus: () => term.focus(),
    columns: () => term.cols,
    find: (text, back) => (back ? search.findPrevious(text) : search.findNext(text)),
    paint: () => (term.options.theme = theme()),
    close: () => {
      watch.disconnect();
      term.dispose();
    },
  };
}
