// Drives the panels that are worked with, on simulated devices that do nothing by themselves. With PATCHBAY_PAGE it takes the
// first device of each kind there, and skips a kind that is not there with a line that says so. Prints as browser.mjs does;
// PATCHBAY_BIN, CHROMIUM and SCREENSHOTS as there. Arguments are kinds; without any all are checked.
import { chromium } from 'playwright-core';
import { check, finish, patience, step } from './checks.mjs';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run, start, workshop } from './gateway.mjs';
import { proxy } from './proxy.mjs';
import { audioChecks } from './panels/audio.mjs';
import { levelChecks } from './panels/levels.mjs';
import { forgettingChecks, pairingChecks } from './panels/pairing.mjs';
import { serialChecks } from './panels/serial.mjs';
import { closedChecks } from './panels/closed.mjs';
import { switcherChecks } from './panels/switcher.mjs';

const kinds = {
  switcher: switcherChecks,
  serial: serialChecks,
  audio: async (all) => {
    await audioChecks(all);
    if (!all.name.startsWith('asked')) await levelChecks(all); // that one waits, and takes nothing
  },
};
const only = process.argv.slice(2);

/** startPanels gives the address of a gateway over one quiet device of each kind, and a way to stop it. */
async function startPanels() {
  if (process.env.PATCHBAY_PAGE) return { address: process.env.PATCHBAY_PAGE };
  const { folder, program, close } = workshop();
  process.env.HOME = folder; // for the keys that drivers keep
  // Programs are let in on the screen of a computer, which this one has as a page.
  const computer = await run(program, ['sim', 'fc2', '--inputs', '2', '--secure', '127.0.0.1:0', '--onboarding', '127.0.0.1:0'], 4);
  const [secure, onboarding, screen, key] = computer.lines.map((line) => line.trim().split(/\s+/).at(-1));
  const file = join(folder, 'panels.yaml');
  writeFileSync(
    file,
    `listen: 127.0.0.1:0
devices:
  closed: {url: 'sim+atem:?model=mini-extreme-iso'}
  studio: {url: 'sim+atem:?model=mini-extreme-iso', writable: ['**']}
  ports: {url: 'sim+devicemaster:', writable: ['**']}
  desk: {url: 'sim+aes70:?inputs=4', writable: ['**', inputs/analogue-1/phantom]}
  scarlett: {url: 'sim+fcxml:', writable: ['**']}
  asked: {url: 'sim+fcxml:?approved=false', writable: ['**']}
  shut: {url: 'sim+fc2:?inputs=2'}
  booth: {url: 'fc2://${secure}', onboarding_port: ${onboarding.split(':').at(-1)}, server_key: ${key}, writable: ['**', pairing/forget]}
`,
    { mode: 0o600 },
  );
  const gateway = await start(program, ['run', file]);
  return {
    address: gateway.address,
    screen,
    stop: async () => {
      await gateway.stop();
      await computer.stop();
      close();
    },
  };
}

const demo = await startPanels();
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox'] });
const network = await proxy(demo.address);
const origin = new URL(network.address).origin;
const direct = new URL(demo.address).origin;
const complaints = [];
const strangers = [];

async function open(path, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 860 }, colorScheme: 'light', ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(patience);
  page.on('console', (m) => m.type() === 'error' && complaints.push(`${page.url()}: ${m.text()}`));
  page.on('pageerror', (e) => complaints.push(`${page.url()}: ${e}`));
  page.on('request', (r) => new URL(r.url()).origin !== origin && strangers.push(r.url()));
  await page.goto(origin + path);
  step(page);
  return page;
}

const api = async (path, init) => (await fetch(`${direct}/api/v1${path}`, init)).json();
const valueOf = async (device, path) => (await api(`/devices/${device}/value?path=${path}`)).value;

/** wide is by how much the view scrolls sideways. */
const wide = (page) => page.evaluate(() => document.documentElement.scrollWidth - innerWidth);

async function drive(device, checks) {
  const { specs, commands, label_sets: labels } = await api(`/devices/${device.name}/specs`);
  const all = { name: device.name, device, specs, commands: commands ?? [], labels: labels ?? {}, open, api, valueOf, wide, network, complaints, screen: demo.screen ?? `${direct}/simulated/${device.name}/` };
  if (!all.commands.some((c) => c.path === 'pairing/request')) return checks(all);
  await pairingChecks(all);
  const paired = await api(`/devices/${device.name}/specs`);
  await checks({ ...all, specs: paired.specs, commands: paired.commands ?? [], labels: paired.label_sets ?? {} });
  if ((paired.commands ?? []).some((c) => c.path === 'pairing/forget' && c.writable)) await forgettingChecks(all);
}

let ran = 0;
try {
  const { devices } = await api('/devices');
  for (const [kind, checks] of Object.entries(kinds)) {
    if (only.length > 0 && !only.includes(kind)) continue;
    const found = devices.filter((d) => d.panel === kind);
    if (found.length === 0) {
      console.log(`skip  there is no device with the panel "${kind}"`);
      continue;
    }
    ran++;
    for (const device of process.env.PATCHBAY_PAGE ? found.slice(0, 1) : found) {
      if (device.name === 'closed') await closedChecks(device.name, open);
      else if (device.name !== 'shut') await drive(device, checks);
    }
  }
  await check('no console errors and no foreign requests', async () => {
    if (complaints.length > 0) throw new Error(complaints.join('; '));
    if (strangers.length > 0) throw new Error(strangers.join(' '));
  });
  await check('there was something to check', async () => {
    if (ran === 0) throw new Error('no device with any of these panels');
  });
} catch (e) {
  await check('the run itself', async () => {
    throw e;
  });
} finally {
  await browser.close();
  await network.close();
  await demo.stop?.();
}
finish();
