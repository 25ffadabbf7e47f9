// Starts patchbay on a free port for the browser tests.
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const root = new URL('../../', import.meta.url).pathname;

/** workshop is a folder for one test, with the program in it; close takes it away. */
export function workshop() {
  const folder = mkdtempSync(join(tmpdir(), 'patchbay-'));
  let program = process.env.PATCHBAY_BIN;
  if (!program) {
    program = join(folder, 'patchbay');
    execFileSync('go', ['build', '-o', program, './cmd/patchbay'], { cwd: root, stdio: 'inherit' });
  }
  return { folder, program, close: () => rmSync(folder, { recursive: true, force: true }) };
}

/** start runs the program, and gives the page's address from its first line and a way to stop it. */
export async function start(program, args) {
  const { lines, said, stop } = await run(program, args, 1);
  const address = lines[0];
  if (!address || !/^http:/.test(address)) {
    await stop();
    throw new Error(`patchbay ${args.join(' ')} gave no address: ${address}\n${said()}`);
  }
  return { address, stop };
}

/** run starts the program, and gives its first lines and a way to stop it. */
export async function run(program, args, count) {
  const child = spawn(program, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  child.stderr.on('data', (part) => (said = (said + part).slice(-4000)));
  const ended = new Promise((resolve) => child.once('exit', resolve));
  const lines = [];
  const enough = new Promise((resolve) => createInterface({ input: child.stdout }).on('line', (line) => lines.push(line) === count && resolve()));
  const late = new Promise((resolve) => setTimeout(resolve, 20_000, null).unref());
  await Promise.race([enough, late, ended]);
  const stop = async () => {
    child.kill('SIGTERM');
    await ended;
  };
  return { lines, said: () => said, stop };
}

/** startDemo gives the address of a demo and, when it started the program itself, a way to stop it. */
export async function startDemo() {
  if (process.env.PATCHBAY_PAGE) return { address: process.env.PATCHBAY_PAGE };
  const { program, close } = workshop();
  const demo = await start(program, ['demo', '--listen', '127.0.0.1:0']);
  return {
    address: demo.address,
    stop: async () => {
      await demo.stop();
      close();
    },
  };
}
