// Drives the page in a real browser against "patchbay demo". Prints one line for each check and, last, "N passed, N failed".
//
//   PATCHBAY_BIN   the program; without it "go build" makes one
//   PATCHBAY_PAGE  the address of a gateway that runs already, instead of starting one; its device must take writes
//   CHROMIUM       the browser; /usr/bin/chromium without it
//   SCREENSHOTS    a folder for a picture of the page at each failure
import { chromium } from 'playwright-core';
import { check, expect, finish, meanwhile, patience, poll, shaken, step } from './checks.mjs';
import { startDemo } from './gateway.mjs';

const demo = await startDemo();
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox'] });
const origin = new URL(demo.address).origin;
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
  return page;
}

const api = async (path, init) => (await fetch(`${origin}/api/v1${path}`, init)).json();

try {
  const { devices } = await api('/devices');
  const device = devices.find((d) => d.panel === 'cnc');
  if (!device) throw new Error('the demo has no machine');
  const name = device.name;
  const { specs } = await api(`/devices/${name}/specs`);
  const macro = specs.find((s) => s.role === 'cnc.macro' && s.writable);
  const hazard = specs.find((s) => s.hazard === 'hazard' && s.writable && s.kind !== 'bool' && s.path !== macro.path);
  const fixed = specs.find((s) => s.role === 'cnc.position.absolute');
  const home = `/d/${encodeURIComponent(name)}`;
  const page = await open('/');
  step(page);

  await check('the list names the device with its link and its word', async () => {
    const row = page.locator('.row', { hasText: name }).first();
    await expect(row.locator('.link')).toSay(/connected/);
    await expect(row.locator('.plate')).toSay(/Running|Held|Idle|Manual|Alarm|Emergency stop/);
    if (device.simulated) await expect(row.locator('.sim')).toSay('SIM');
  });

  await check('the list says what a row does, what unlocks, and what SIM means', async () => {
    await expect(page.locator('.list .legend')).toSay(/row opens the panel.*hold the lock.*simulated device/s);
  });

  await check('a row opens the panel without loading the page again', async () => {
    await page.evaluate(() => (window.stayed = true));
    await page.locator('.row', { hasText: name }).first().click();
    await page.locator('.position').waitFor();
    if (!(await page.evaluate(() => window.stayed))) throw new Error('the page was loaded again');
    if (new URL(page.url()).pathname !== home) throw new Error(page.url());
  });

  await check('positions change live, with the digits of the API', async () => {
    const seen = new Set();
    const digits = page.locator('.axis .value .digits');
    await poll(async () => {
      for (const text of await digits.allInnerTexts()) seen.add(text);
      return seen.size > 12;
    }, 'positions stand still');
    const places = specs.find((s) => s.path === fixed.path).decimals ?? 0;
    const text = await digits.first().innerText();
    if ((text.split('.')[1] ?? '').length !== places) throw new Error(`${text} has not ${places} decimals`);
  });

  await check('the kind of position is chosen by button', async () => {
    await page.getByRole('button', { name: 'Machine', exact: true }).click();
    await expect(page.getByRole('button', { name: 'Machine', exact: true })).toHave('aria-pressed', 'true');
  });

  await check('a name opens details with plot, evidence and lines to copy', async () => {
    await page.locator('.axis .name').first().click();
    const side = page.locator('.inspector');
    await expect(side.locator('.path').first()).toSay(/axes\/.+\/machine/);
    await side.locator('.plot canvas').waitFor();
    await expect(side).toSay(/Read only/);
    await expect(side.locator('.copyline code').first()).toSay(/^patchbay get /);
    await expect(side).toSay(/curl /);
    await page.keyboard.press('Escape');
    await poll(async () => (await side.count()) === 0, 'Escape leaves the details open');
  });

  await check('the tree is searched, and shows evidence', async () => {
    await page.getByRole('link', { name: 'Points' }).click();
    await page.fill('#search', 'feed actual');
    await poll(async () => (await page.locator('.pointrow').count()) >= 1, 'nothing found');
    await poll(async () => (await page.locator('.pointrow').count()) < 10, 'the search finds too much');
    const rows = await page.locator('.pointrow .seg').allTextContents();
    if (!rows.includes('actual')) throw new Error(rows.join());
    await expect(page.locator('.grade').first()).toSay(/spec|seen|inferred|guess/);
    await page.fill('#search', 'no such point at all');
    await expect(page.locator('.points')).toSay(/Nothing matches/);
    await page.fill('#search', '');
  });

  await check('the link tab counts the conversation', async () => {
    await page.getByRole('link', { name: 'Link' }).click();
    await expect(page.locator('.linkview')).toSay(/connected/);
    await expect(page.locator('.linkview')).toSay(/Round trip/i);
  });

  await check('a locked control only shakes the lock', async () => {
    await page.goto(`${origin}${home}?tab=points`);
    await page.fill('#search', macro.path);
    await page.locator('.pointname').first().click();
    await page.fill('#entry', '12.5');
    await shaken(page, () => page.getByRole('button', { name: 'Set', exact: true }).click());
    if (await page.locator('dialog[open]').count()) throw new Error('the sheet opened');
    await expect(page.locator('.control')).toSay(/Locked/);
  });

  await check('the lock opens by being held', async () => {
    const box = await page.locator('.lock').boundingBox();
    await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
    await page.mouse.down();
    await page.locator('.stage.unlocked').waitFor();
    await page.mouse.up();
    await expect(page.locator('.lock')).toSay('Unlocked');
  });

  const before = (await api(`/devices/${name}/value?path=${macro.path}`)).value;
  const wanted = before === 321.5 ? 322.5 : 321.5;

  const holdKey = async (key) => {
    await page.locator('dialog[open] .danger').focus();
    await page.keyboard.down(key);
    await page.locator('dialog').waitFor({ state: 'detached' });
    await page.keyboard.up(key);
  };

  // The outcome of a write that went well goes away by itself.
  const confirmed = (act) => meanwhile(page, '.outcome', act, 'confirmed');

  await check('a write is confirmed by the device', async () => {
    await confirmed(async () => {
      await page.fill('#entry', String(wanted));
      await page.keyboard.press('Enter');
      if (macro.hazard === 'hazard') await holdKey('Enter');
    });
    const now = (await api(`/devices/${name}/value?path=${macro.path}`)).value;
    if (now !== wanted) throw new Error(`the device says ${now}`);
    await expect(page.locator('.inspector .big .digits')).toSay(String(wanted));
  });

  await check('a hazard write shows old and new, and wants a hold of a second', async () => {
    await page.fill('#search', hazard.path);
    await page.locator('.pointname').first().click();
    await expect(page.locator('.inspector .path')).toSay(hazard.path);
    const old = Number((await api(`/devices/${name}/value?path=${hazard.path}`)).value);
    await page.fill('#entry', String(old + 1));
    await page.getByRole('button', { name: 'Set', exact: true }).click();
    const sheet = page.locator('dialog[open]');
    await expect(sheet).toSay(new RegExp(`now[^]*${old}[^]*new[^]*${old + 1}`));
    await confirmed(() => holdKey('Space'));
    await page.fill('#search', macro.path);
    await page.locator('.pointname').first().click();
    await expect(page.locator('.inspector .path')).toSay(macro.path);
  });

  await check('a wrong entry says what would be right and sends nothing', async () => {
    await page.fill('#entry', 'twelve');
    await page.keyboard.press('Enter');
    await expect(page.locator('#entry-help')).toSay(/Wanted: a number/);
    if (await page.locator('dialog[open]').count()) throw new Error('the sheet opened');
  });

  await check('a refused write stays at its control, with the reason', async () => {
    await confirmed(async () => {
      await page.fill('#entry', String(wanted));
      await page.keyboard.press('Enter');
      if (macro.hazard === 'hazard') await holdKey('Enter');
    });
    await page.route('**/api/v1/writes', async (route) => {
      const body = route.request().postDataJSON();
      body.writes[0].path = fixed.path; // a point that nobody may write
      await new Promise((r) => setTimeout(r, 4500)); // the page asks after the write before in this time
      return route.continue({ postData: JSON.stringify(body) });
    });
    await page.fill('#entry', '1');
    await page.keyboard.press('Enter');
    if (macro.hazard === 'hazard') await holdKey('Enter');
    const outcome = page.locator('.outcome.refusal');
    await outcome.waitFor();
    await expect(outcome).toSay(/^refused/, 100); // at first sight, and not once the write before has been asked after
    if ((await outcome.innerText()).length < 25) throw new Error('no reason given');
    await page.unroute('**/api/v1/writes');
    await page.waitForTimeout(3500);
    if ((await outcome.count()) !== 1) throw new Error('the refusal went away by itself');
    await page.getByRole('button', { name: 'Understood' }).click();
    await poll(async () => (await outcome.count()) === 0, 'the refusal stays after a touch');
    // The browser reports the refused request by itself; that one is meant.
    for (let i = complaints.length; i-- > 0; ) if (/status of 4\d\d/.test(complaints[i])) complaints.splice(i, 1);
  });

  await check('the log tells who wrote what', async () => {
    await page.getByRole('link', { name: 'Log' }).click();
    const line = page.locator('.logline', { hasText: macro.path }).filter({ hasText: 'confirmed' }).first();
    await expect(line).toSay(String(wanted));
    await line.getByText('steps').click();
    await expect(line.locator('ol')).toSay(/accepted[\s\S]*confirmed/);
  });

  await check('L locks again, digits change tabs, and a field keeps its keys', async () => {
    await page.locator('h1').click();
    await page.keyboard.press('l');
    await expect(page.locator('.lock')).toSay('Locked');
    await page.keyboard.press('2');
    await page.locator('#search').waitFor();
    await page.keyboard.press('/');
    await page.keyboard.type('l2');
    await expect(page.locator('.lock')).toSay('Locked');
    await poll(async () => (await page.inputValue('#search')).endsWith('l2'), 'the field lost its keys');
    await page.fill('#search', '');
  });

  await check('keys typed right behind / belong to the search, however late the next frame is', async () => {
    const slow = await open(home);
    await slow.locator('.position').waitFor();
    await slow.evaluate(() => {
      const frame = window.requestAnimationFrame.bind(window);
      window.requestAnimationFrame = (draw) => setTimeout(() => frame(draw), 500);
    });
    await slow.keyboard.press('/');
    await slow.keyboard.type('l2');
    await poll(async () => (await slow.inputValue('#search')) === 'l2', 'the keys went elsewhere');
    await expect(slow.locator('.lock')).toSay('Locked');
    await slow.context().close();
  });

  await check('what opens has the keys at once, however late the next frame is', async () => {
    const slow = await open(`${home}?tab=points`);
    await slow.locator('.lockbox').waitFor();
    // Keys as quick as the page takes them: what it draws at once is drawn between two, and nothing else is.
    const keys = (...all) =>
      slow.evaluate(async (all) => {
        for (const key of all) {
          document.activeElement.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true }));
          for (let i = 0; i < 5; i++) await new Promise(queueMicrotask);
        }
      }, all);
    await keys('?', 'l');
    await slow.locator('dialog[open]').waitFor();
    await expect(slow.locator('.lock')).toSay('Locked');
    await slow.getByRole('button', { name: 'Close', exact: true }).click();
    await keys('l');
    await slow.locator('.stage.unlocked').waitFor();
    await slow.fill('#search', macro.path);
    const place = await slow.evaluate(async () => {
      document.querySelector('.pointname').click();
      for (let i = 0; i < 5; i++) await new Promise(queueMicrotask);
      document.querySelector('#entry').focus();
      for (let i = 0; i < 5; i++) await new Promise(requestAnimationFrame);
      return document.activeElement.id;
    });
    if (place !== 'entry') throw new Error('the details take the focus away from their entry');
    await slow.context().close();
  });

  await check('a hold has its length, and letting go before does nothing', async () => {
    const own = await open(`${home}?tab=points`);
    await own.clock.install(); // the page's clock stands but for the steps here: how busy this computer is does not count
    await own.reload();
    await own.locator('.lockbox').waitFor();
    await own.clock.pauseAt((await own.evaluate(() => Date.now())) + 1000);
    const hold = async (button, ms) => {
      const box = await button.boundingBox();
      await own.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
      await own.mouse.down();
      await own.clock.runFor(ms);
      await own.mouse.up();
      await own.clock.runFor(2000);
    };
    await hold(own.locator('.lock'), 590);
    if (await own.locator('.stage.unlocked').count()) throw new Error('0.59 s were enough');
    await hold(own.locator('.lock'), 600);
    await own.locator('.stage.unlocked').waitFor();
    await own.fill('#search', hazard.path);
    await own.locator('.pointname').first().click();
    // A busy computer may lose the device for a moment, and then it has no value.
    const says = async () => {
      let value;
      await poll(async () => typeof (value = (await api(`/devices/${name}/value?path=${hazard.path}`)).value) === 'number', 'the device has no value');
      return value;
    };
    const old = await says();
    await own.fill('#entry', String(old + 1));
    await own.getByRole('button', { name: 'Set', exact: true }).click();
    const sheet = own.locator('dialog[open]');
    await sheet.waitFor();
    await hold(sheet.locator('.danger'), 990);
    if ((await sheet.count()) === 0) throw new Error('0.99 s were enough');
    const now = await says();
    if (now !== old) throw new Error(`it was written: ${old} became ${now}`);
    await own.context().close();
  });

  await check('everything is reached with Tab, with a focus that is seen', async () => {
    const keyboard = await open(home);
    await keyboard.locator('.position').waitFor();
    await keyboard.locator('.lockbox').waitFor();
    const reached = [];
    for (let i = 0; i < 16; i++) {
      await keyboard.keyboard.press('Tab');
      reached.push(await keyboard.evaluate(() => {
        const e = document.activeElement;
        const ring = getComputedStyle(e);
        return { what: e.getAttribute('aria-label') || e.innerText, seen: ring.outlineStyle !== 'none' && parseFloat(ring.outlineWidth) >= 2 };
      }));
    }
    const names = reached.map((r) => r.what).join(' | ');
    for (const part of ['Settings', 'Points', 'Absolute']) if (!names.includes(part)) throw new Error(`${part} is not in ${names}`);
    const unseen = reached.find((r) => !r.seen);
    if (unseen) throw new Error(`no ring on ${unseen.what}`);
    await keyboard.context().close();
  });

  await check('no view scrolls sideways at 320 px', async () => {
    const narrow = await open('/', { viewport: { width: 320, height: 640 } });
    const walls = devices.map((d) => `/d/${encodeURIComponent(d.name)}?wall`);
    for (const path of ['/', home, `${home}?tab=points`, `${home}?tab=link`, `${home}?tab=log`, ...walls]) {
      await narrow.goto(origin + path);
      await narrow.locator('.list, .position, .points, .linkview, .log, .switcher, .serial, .audio, .pairing, .generic').first().waitFor();
      const over = await narrow.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      if (over > 0) throw new Error(`${path} by ${over} px`);
    }
    await narrow.context().close();
  });

  await check('dark follows the system, and the setting wins', async () => {
    const dark = await open(home, { colorScheme: 'dark' });
    await dark.locator('.position').waitFor();
    const light = () => dark.evaluate(() => Number(/\d+/.exec(getComputedStyle(document.body).backgroundColor)[0]));
    await poll(async () => (await light()) <= 60, 'not dark');
    await dark.keyboard.press('?');
    await dark.getByRole('button', { name: 'light', exact: true }).click();
    await poll(async () => (await light()) >= 200, 'not light');
    await dark.reload();
    await dark.locator('.position').waitFor();
    await poll(async () => (await light()) >= 200, 'the choice was forgotten');
    await dark.context().close();
  });

  await check('a wall screen has no bar and keeps its word', async () => {
    const wall = await open(`${home}?wall`, { viewport: { width: 1920, height: 1080 } });
    await expect(wall.locator('.plate').first()).toSay(/\w/);
    if (await wall.locator('.top, .tabs').count()) throw new Error('there is a bar');
    await wall.context().close();
  });

  await check('no console errors and no foreign requests', async () => {
    if (complaints.length > 0) throw new Error(complaints.join('; '));
    if (strangers.length > 0) throw new Error(strangers.join(' '));
  });

  if (demo.stop) {
    await check('a lost gateway is said, and old values are hatched', async () => {
      await page.goto(origin + home);
      await page.locator('.axis .digits').first().waitFor();
      await demo.stop();
      await expect(page.locator('.fault')).toSay(/Gateway lost/);
      await expect(page.locator('.plate').first()).toSay('No link');
      await poll(() => page.evaluate(() => getComputedStyle(document.querySelector('.axis .value')).backgroundImage.includes('gradient')), 'old values look fresh');
    });
  }
} catch (e) {
  await check('the run itself', async () => {
    throw e;
  });
} finally {
  await browser.close();
  await demo.stop?.();
}
finish();
