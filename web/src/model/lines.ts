/** Ready lines to copy, quoted for a POSIX shell. */

/** quote leaves plain words alone and wraps everything else in single quotes. */
export function quote(text: string): string {
  return /^[A-Za-z0-9_\-./:=@%+,]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

export interface Line {
  door: string;
  line: string;
}

/** Reach is what a line must carry to get to this gateway. */
export interface Reach {
  origin: string;
  login: boolean; // programs need a token, which both find in PATCHBAY_TOKEN
}

/** readLines and writeLines reach one point through the doors that are always there, commandLines perform a command. */
export function readLines({ origin, login }: Reach, device: string, path: string): Line[] {
  return [
    { door: 'patchbay', line: `patchbay get${gatewayFlag(origin)} ${quote(`${device}/${path}`)}` },
    { door: 'curl', line: `curl ${token(login)}${quote(`${valueAddress(origin, device, path)}&format=text`)}` },
  ];
}

export function writeLines({ origin, login }: Reach, device: string, path: string, value: string): Line[] {
  return [
    { door: 'patchbay', line: `patchbay set${gatewayFlag(origin)} ${quote(`${device}/${path}`)} ${quote(value)}` },
    {
      door: 'curl',
      line: `curl -X PUT ${token(login)}-H 'Content-Type: text/plain' -d ${quote(value)} ${quote(valueAddress(origin, device, path))}`,
    },
  ];
}

export function commandLines({ origin, login }: Reach, device: string, path: string, args: Record<string, unknown>): Line[] {
  const named = Object.entries(args).map(([name, value]) => quote(`${name}=${String(value)}`));
  const body = JSON.stringify({ path, args, wait: true });
  return [
    { door: 'patchbay', line: [`patchbay do${gatewayFlag(origin)} ${quote(`${device}/${path}`)}`, ...named].join(' ') },
    { door: 'curl', line: `curl ${token(login)}--json ${quote(body)} ${quote(`${origin}/api/v1/devices/${encodeURIComponent(device)}/commands`)}` },
  ];
}

/** prometheusLine is the query for a point that /metrics shows: as a number, or as one series for each state. */
export function prometheusLine(device: string, path: string, states = false): Line {
  const text = (s: string) => `"${s.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
  return { door: 'Prometheus', line: `patchbay_point${states ? '_state' : ''}{device=${text(device)},path=${text(path)}}` };
}

const token = (login: boolean): string => (login ? '-H "Authorization: Bearer $PATCHBAY_TOKEN" ' : '');

function valueAddress(origin: string, device: string, path: string): string {
  const point = encodeURIComponent(path).replaceAll('%2F', '/');
  return `${origin}/api/v1/devices/${encodeURIComponent(device)}/value?path=${point}`;
}

// The command finds a gateway at its usual place by itself.
function gatewayFlag(origin: string): string {
  return /^http:\/\/(127\.0\.0\.1|localhost):8620$/.test(origin) ? '' : ` --gateway ${quote(origin)}`;
}

/** configurationOf is the part of a configuration file that names one device. */
export const configurationOf = (url: string, name = 'mill1'): string => `devices:\n  ${name}: ${url}`;
