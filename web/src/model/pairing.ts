/** What a device waits for, in words: by the code of its condition, which is the same for every driver. */

/** The commands by which a device lets patchbay in begin with this. */
export const pairingRoot = 'pairing/';
export const isPairing = (path: string): boolean => path.startsWith(pairingRoot);

/** waitsForPerson says that somebody at the device has to let patchbay in; other conditions end without a word from anybody. */
export const waitsForPerson = (code: string): boolean => code === 'not-paired' || code === 'waiting-for-approval' || code === 'waiting-for-code';

/** hostIn is the computer that an address names; '' for a simulated device, and for what is no address. */
export function hostIn(url: string): string {
  const rest = /^(?!sim\+)[a-z][a-z0-9+.-]*:\/\/(?:[^/?#@]*@)?(\[[^\]]*\]|[^/?#:]*)/i.exec(url);
  return rest?.[1] ?? '';
}

/** waitingFor is a condition as a sentence without its stop; title is what the other side is called, host where it runs. */
export function waitingFor(code: string, title: string, host: string): string {
  const there = `${title || 'the device'}${host ? ` on ${host}` : ''}`;
  switch (code) {
    case 'not-paired':
      return `Not paired with ${there}`;
    case 'waiting-for-approval':
      return `Waiting for approval in ${there}`;
    case 'waiting-for-code':
      return `Waiting for the code that ${there} shows`;
  }
  const text = code.replaceAll('-', ' ');
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/**
 * commandFits says that a command of pairing leads on from a condition. While a person is asked there is nothing to ask again,
 * and a code is wanted only once one is shown; what a driver has beyond that always fits.
 */
export function commandFits(path: string, code: string): boolean {
  if (path === `${pairingRoot}request`) return code !== 'waiting-for-approval' && code !== 'waiting-for-code';
  if (path === `${pairingRoot}code`) return code !== 'waiting-for-approval' && code !== 'not-paired';
  return true;
}

/** plainCause leaves out by which step, and at which address, something failed: "x 192.0.2.1:80: request: it is busy". */
export const plainCause = (text: string): string => text.replace(/^(?:[\w -]*\S+:\d+: (?:[a-z]+: )?)+/, '');

/** sentence begins a text with a capital, and ends it with a stop. */
export function sentence(text: string): string {
  const clean = text.trim();
  if (!clean) return '';
  return clean.charAt(0).toUpperCase() + clean.slice(1) + (/[.!?…]$/.test(clean) ? '' : '.');
}
