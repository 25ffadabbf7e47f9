// Drives the panels that are worked with, each on the demo's device of its kind; a kind that the demo does not have is
// skipped with a line that says so. Prints as browser.mjs does; PATCHBAY_BIN, PATCHBAY_PAGE, CHROMIUM and SCREENSHOTS as there.
import { chromium } from 'playwright-core';
import { check, expect, finish, poll, step } from './checks.mjs';
import { startDemo } from './gateway.mjs';
import { proxy } from './proxy.mjs';
import { audioChecks } from './panels/audio.mjs';
import { serialChecks } from './panels/serial.mjs';
import { switcherChecks } from './panels/switcher.mjs';

const kinds = { switcher: switcherChecks, serial: serialChecks, audio: audioChecks };
const only = process.argv.slice(2); // kinds to check; none: all

const demo = await startDemo();
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox'] });
const network = await proxy(demo.address);
const origin = new URL(network.address).origin;
const direct = new URL(demo.address).origin;
const complaints = [];
const strangers = [];

async function open(path, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 860 }, colorScheme: 'light', ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(10_000);
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

let ran = 0;
try {
  const { devices } = await api('/devices');
  for (const [kind, checks] of Object.entries(kinds)) {
    if (only.length > 0 && !only.includes(kind)) continue;
    const device = devices.find((d) => d.panel === kind);
    if (!device) {
      console.log(`skip  the demo has no device with the panel "${kind}"`);
      continue;
    }
    ran++;
    const { specs, commands, label_sets: labels } = await api(`/devices/${device.name}/specs`);
    await checks({ name: device.name, device, specs, commands: commands ?? [], labels: labels ?? {}, open, api, valueOf, wide, network, complaints });
  }
  await check('no console errors and no foreign requests', async () => {
    if (complaints.length > 0) throw new Error(complaints.join('; '));
    if (strangers.length > 0) throw new Error(strangers.join(' '));
  });
  if (ran === 0) await check('the list of the demo is there', async () => {
    const page = await open('/');
    await expect(page.locator('.row').first()).toSay(/\w/);
    await poll(async () => (await wide(page)) <= 0, 'it scrolls sideways');
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
