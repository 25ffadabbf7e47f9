/** Ready lines to copy, quoted for a POSIX shell. */

/** quote leaves plain words alone and wraps everything else in single quotes. */
export function quote(text: string): string {
  return /^[A-Za-z0-9_\-./:=@%+,]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

export interface Line {
  door: string;
  line: string;
}

/** readLines and writeLines reach one point through the doors that are always there. */
export function readLines(origin: string, device: string, path: string): Line[] {
  return [
    { door: 'patchbay', line: `patchbay get${gatewayFlag(origin)} ${quote(`${device}/${path}`)}` },
    { door: 'curl', line: `curl ${quote(`${valueAddress(origin, device, path)}&format=text`)}` },
  ];
}

export function writeLines(origin: string, device: string, path: string, value: string): Line[] {
  return [
    { door: 'patchbay', line: `patchbay set${gatewayFlag(origin)} ${quote(`${device}/${path}`)} ${quote(value)}` },
    {
      door: 'curl',
      line: `curl -X PUT -H 'Content-Type: text/plain' -d ${quote(value)} ${quote(valueAddress(origin, device, path))}`,
    },
  ];
}

function valueAddress(origin: string, device: string, path: string): string {
  const point = encodeURIComponent(path).replaceAll('%2F', '/');
  return `${origin}/api/v1/devices/${encodeURIComponent(device)}/value?path=${point}`;
}

// The command finds a gateway at its usual place by itself.
function gatewayFlag(origin: string): string {
  return /^http:\/\/(127\.0\.0\.1|localhost):8620$/.test(origin) ? '' : ` --gateway ${quote(origin)}`;
}
