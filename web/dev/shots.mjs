// Screenshots of the page in its usual and unusual states, for people to look at.
//
//   node dev/shots.mjs ADDRESS FOLDER [name…]      against the mock (npm run mock)
import { chromium } from 'playwright-core';
import { mkdir } from 'node:fs/promises';

const [, , base = 'http://127.0.0.1:8621/', folder = 'shots', ...only] = process.argv;
const long = 'transfer-line-4-left-spindle-turning-centre-behind-the-compressor';
const desk = { width: 1440, height: 900 };
const phone = { width: 360, height: 740 };

const shots = [
  ['list', '/', desk, 'dark'],
  ['list-phone', '/', phone, 'light'],
  ['cnc-dark', '/d/mill1', desk, 'dark'],
  ['cnc-light', '/d/mill1', desk, 'light'],
  ['cnc-phone', '/d/mill1', phone, 'dark'],
  ['cnc-tablet', '/d/mill1', { width: 1024, height: 768 }, 'light'],
  ['cnc-wall', '/d/mill1?wall', { width: 1920, height: 1080 }, 'dark'],
  ['cnc-320', '/d/mill1', { width: 320, height: 640 }, 'light'],
  ['two-paths', `/d/${long}`, desk, 'dark'],
  ['two-paths-phone', `/d/${long}`, phone, 'light'],
  ['lost', '/d/mill2', desk, 'light'],
  ['generic', '/d/bench-psu', desk, 'light'],
  ['points', '/d/mill1?tab=points', desk, 'dark'],
  ['points-phone', '/d/mill1?tab=points', phone, 'dark'],
  ['link', '/d/mill1?tab=link', desk, 'light'],
  ['link-lost', '/d/mill2?tab=link', desk, 'dark'],
  ['log', '/d/mill1?tab=log', desk, 'dark'],
  ['inspector', '/d/mill1', desk, 'dark', async (page) => {
    await page.keyboard.press('l');
    await page.getByRole('button', { name: /500/ }).first().click();
    await page.waitForTimeout(300);
  }],
  ['inspector-plot', '/d/mill1', desk, 'light', async (page) => {
    await page.waitForTimeout(6000);
    await page.locator('.axis .name').first().click();
    await page.waitForTimeout(800);
  }],
  ['inspector-phone', '/d/bench-psu', phone, 'dark', async (page) => {
    await page.keyboard.press('l');
    await page.getByText('Output', { exact: true }).click();
    await page.waitForTimeout(300);
  }],
  ['sheet', '/d/mill1', desk, 'dark', async (page) => {
    await page.keyboard.press('l');
    await page.getByRole('button', { name: /500/ }).first().click();
    await page.fill('#entry', '105.25');
    await page.keyboard.press('Enter');
    await page.waitForTimeout(200);
  }],
  ['settings', '/', desk, 'light', async (page) => page.keyboard.press('?')],
  ['alternative', '/d/mill1', desk, 'dark', async (page) => page.evaluate(() => (document.documentElement.dataset.palette = 'alternative'))],
  ['alarm', '/d/mill1', desk, 'dark', null, 'alarm'],
  ['alarm-phone', '/d/mill1', phone, 'light', null, 'alarm'],
  ['hold', '/d/mill1', desk, 'light', null, 'hold'],
  ['emergency', '/d/mill1', desk, 'dark', null, 'emergency'],
  ['message', '/d/mill1', desk, 'light', null, 'message'],
  ['bad', '/d/mill1', desk, 'dark', null, 'bad'],
  ['device-lost', '/d/mill1', desk, 'dark', null, 'lost'],
  ['wall-lost', '/d/mill1?wall', { width: 1920, height: 1080 }, 'dark', null, 'lost'],
  ['empty', '/', desk, 'light', null, 'empty'],
  ['empty-found', '/', desk, 'dark', find('192.0.2.21'), 'empty'],
  ['empty-refused', '/', phone, 'light', find('192.0.2.9'), 'empty'],
  ['login', '/d/mill1?tab=log', desk, 'dark', null, 'login'],
  ['login-phone', '/d/mill1', phone, 'light', null, 'login'],
  ['login-wrong', '/', desk, 'light', fill('anna', 'wrong'), 'login'],
  ['login-slowed', '/', phone, 'dark', async (page) => {
    for (let i = 0; i < 6; i++) await fill('anna', 'wrong')(page);
  }, 'login'],
  ['viewer', '/d/mill1', desk, 'light', async (page) => {
    await fill('eve', 'eve')(page);
    await page.getByRole('button', { name: /500/ }).first().click();
    await page.waitForTimeout(300);
  }, 'login'],
  ['viewer-phone', '/d/mill1', phone, 'dark', fill('eve', 'eve'), 'login'],
  ['operator-phone', '/d/mill1', phone, 'light', fill('anna', 'anna'), 'login'],
  ['account', '/d/mill1', desk, 'dark', async (page) => {
    await fill('anna', 'anna')(page);
    await page.locator('.user').click();
  }, 'login'],
  ['clients', '/d/mill1?tab=clients', desk, 'dark'],
  ['clients-light', '/d/mill1?tab=clients', { width: 1024, height: 768 }, 'light'],
  ['clients-phone', '/d/mill1?tab=clients', phone, 'dark'],
  ['clients-viewer', '/d/mill1?tab=clients', desk, 'light', fill('eve', 'eve'), 'login'],
  ['commands', '/d/bench-psu', desk, 'dark', async (page) => page.keyboard.press('l')],
  ['commands-phone', '/d/bench-psu?tab=points', phone, 'light'],
  ['commands-sheet', '/d/bench-psu', desk, 'light', async (page) => {
    await page.keyboard.press('l');
    await page.locator('.arg input').fill('3');
    await page.getByRole('button', { name: 'Recall' }).click();
    await page.waitForTimeout(300);
  }],
  ['audit', '/log', desk, 'dark', null],
  ['audit-phone', '/log', phone, 'light', null],
  ['insecure', '/d/mill1', desk, 'dark', null, 'insecure'],
  ['insecure-light', '/', desk, 'light', null, 'insecure'],
  ['insecure-phone', '/d/mill1', phone, 'light', null, 'insecure'],
  ['switcher', '/d/studio', desk, 'dark', async (page) => page.keyboard.press('l')],
  ['switcher-locked', '/d/studio', desk, 'light'],
  ['switcher-light', '/d/studio', desk, 'light', async (page) => page.evaluate(() => (document.documentElement.dataset.theme = 'light'))],
  ['switcher-alternative', '/d/studio', desk, 'dark', async (page) => page.evaluate(() => (document.documentElement.dataset.palette = 'alternative'))],
  ['switcher-wide', '/d/studio', { width: 2200, height: 1200 }, 'dark', async (page) => page.keyboard.press('l')],
  ['switcher-small', '/d/field-kit', desk, 'dark', async (page) => page.keyboard.press('l')],
  ['switcher-tablet', '/d/field-kit', { width: 1024, height: 768 }, 'dark', async (page) => page.keyboard.press('l')],
  ['switcher-phone', '/d/field-kit', phone, 'dark'],
  ['switcher-320', '/d/studio', { width: 320, height: 640 }, 'dark'],
  ['switcher-wall', '/d/studio?wall', { width: 1920, height: 1080 }, 'dark'],
  ['switcher-black', '/d/studio', desk, 'dark', null, 'studio/black'],
  ['switcher-mid', '/d/studio', desk, 'dark', null, 'studio/mid'],
  ['switcher-lost', '/d/studio', desk, 'dark', null, 'studio/lost'],
  ['switcher-refused', '/d/studio', desk, 'dark', async (page) => {
    await page.keyboard.press('l');
    await page.getByRole('combobox', { name: 'Source of AUX 2' }).selectOption('3');
    await page.waitForTimeout(500);
  }],
  ['switcher-keys', '/d/studio', desk, 'dark', async (page) => page.keyboard.press('?')],
  ['tally-air', '/tally/studio/1', phone, 'light'],
  ['tally-preview', '/tally/studio/CAM2', { width: 740, height: 360 }, 'light'],
  ['tally-idle', '/tally/studio/3', phone, 'light'],
  ['tally-unknown', '/tally/studio/77', phone, 'light'],
  ['tally-lost', '/tally/studio/1', phone, 'light', null, 'studio/lost'],
  ['serial', '/d/rack-ports', desk, 'dark', async (page) => page.waitForTimeout(3000)],
  ['serial-light', '/d/rack-ports?port=1', desk, 'light', async (page) => page.waitForTimeout(3000)],
  ['serial-own', '/d/rack-ports?port=2', desk, 'light', async (page) => {
    await page.keyboard.press('l');
    await page.getByLabel('local echo').check();
    await page.getByRole('button', { name: 'Both', exact: true }).click();
    await page.getByRole('button', { name: 'Take the port', exact: true }).click();
    await page.waitForTimeout(500);
    await page.keyboard.type('hello gap\n');
    await page.waitForTimeout(600);
  }],
  ['serial-phone', '/d/rack-ports?port=3', phone, 'dark'],
  ['serial-320', '/d/rack-ports?port=1', { width: 320, height: 640 }, 'light'],
  ['serial-wall', '/d/rack-ports?wall', { width: 1920, height: 1080 }, 'dark'],
  ['serial-lost', '/d/rack-ports', desk, 'dark', null, 'rack-ports/lost'],
  ['gateway-lost', '/d/mill1', desk, 'light', async (page) => {
    await page.waitForTimeout(7000);
  }, 'silent'],
];

function find(address) {
  return async (page) => {
    await page.reload();
    await page.fill('#address', address);
    await page.keyboard.press('Enter');
    await page.waitForTimeout(500);
  };
}

function fill(user, password) {
  return async (page) => {
    await page.fill('[name=user]', user);
    await page.fill('[name=password]', password);
    await page.keyboard.press('Enter');
    await page.waitForTimeout(1200);
  };
}

await mkdir(folder, { recursive: true });
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium' });
for (const [name, path, viewport, colorScheme, act, scene] of shots) {
  if (only.length > 0 && !only.includes(name)) continue;
  const of = scene?.includes('/') ? scene.split('/')[0] : 'mill1';
  const set = (s) => fetch(new URL(`/mock?device=${of}&scene=${s.split('/').at(-1)}`, base), { method: 'POST' }).catch(() => {});
  const context = await browser.newContext({ viewport, colorScheme });
  const page = await context.newPage();
  page.on('console', (m) => m.type() === 'error' && scene !== 'login' && console.log(name, m.text()));
  page.on('pageerror', (e) => console.log(name, String(e)));
  await page.goto(new URL(path, base).href);
  await page.waitForTimeout(900);
  if (scene) await set(scene);
  if (scene === 'login' || scene === 'insecure') await page.reload();
  if (scene) await page.waitForTimeout(400);
  if (act) await act(page);
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  if (wide > 0) console.log(name, `scrolls sideways by ${wide} px`);
  await page.screenshot({ path: `${folder}/${name}.png`, fullPage: viewport.width < 700 && !act });
  await context.close();
  if (scene) {
    await set('full');
    await set('run');
    await set('open');
    await set('secure');
  }
}
await browser.close();
