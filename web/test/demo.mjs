// Starts "patchbay demo" on a free port for the browser test.
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** startDemo gives the page's address and, when it started the program itself, a way to stop it. */
export async function startDemo() {
  if (process.env.PATCHBAY_PAGE) return { address: process.env.PATCHBAY_PAGE };
  const root = new URL('../../', import.meta.url).pathname;
  let program = process.env.PATCHBAY_BIN;
  let folder = '';
  if (!program) {
    folder = mkdtempSync(join(tmpdir(), 'patchbay-'));
    program = join(folder, 'patchbay');
    execFileSync('go', ['build', '-o', program, './cmd/patchbay'], { cwd: root, stdio: 'inherit' });
  }
  const child = spawn(program, ['demo', '--listen', '127.0.0.1:0'], { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  child.stderr.on('data', (part) => (said = (said + part).slice(-4000)));
  const ended = new Promise((resolve) => child.once('exit', resolve));
  const first = new Promise((resolve) => createInterface({ input: child.stdout }).once('line', resolve));
  const late = new Promise((resolve) => setTimeout(resolve, 20_000, null).unref());
  const address = await Promise.race([first, late, ended.then(() => null)]);
  const stop = async () => {
    child.kill('SIGTERM');
    await ended;
    if (folder) rmSync(folder, { recursive: true, force: true });
    folder = '';
  };
  if (!address || !/^http:/.test(address)) {
    await stop();
    throw new Error(`patchbay demo gave no address: ${address}\n${said}`);
  }
  return { address, stop };
}
