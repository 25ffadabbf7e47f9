// Drives the page of a gateway with users in a real browser: signing in and out, what a viewer and an operator may do, the
// logs, the programs that share a device, and the first device. Prints as browser.mjs does; PATCHBAY_BIN, CHROMIUM and
// SCREENSHOTS as there.
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { check, expect, finish, meanwhile, patience, poll, step } from './checks.mjs';
import { start, workshop } from './gateway.mjs';

const { folder, program, close } = workshop();
const password = 'three words here';

/** line is what the program makes of the password: the line of a user, to be pasted below "users:". */
function line(name, role) {
  const out = execFileSync(program, ['user', 'add', name, '--role', role, '--password-stdin'], { input: `${password}\n`, encoding: 'utf8' });
  return out.split('\n').find((l) => l.startsWith(`  ${name}:`));
}

function configure(name, text) {
  const file = join(folder, name);
  writeFileSync(file, text, { mode: 0o600 });
  return file;
}

const file = configure('shop.yaml', `listen: 127.0.0.1:0
users:
${line('anna', 'operator').replace(/\}$/, ", writable: [mill1/macros/500, 'mill1/_clients/**', ports/ports/1]}")}
${line('eve', 'viewer')}
${line('root', 'admin')}
devices:
  mill1:
    url: 'sim+focas:'
    macros: [500, 501]
    writable: [macros/500, macros/501, '_clients/**']
    serve: {listen: '127.0.0.1:0'}
  ports:
    url: 'sim+devicemaster:?layout=null,null'
    writable: [ports/1]
`);
const gateway = await start(program, ['run', file]);
const origin = new URL(gateway.address).origin;
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox'] });
const running = [gateway];
const crashes = [];

async function open(path, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 860 }, colorScheme: 'light', ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(patience);
  page.on('pageerror', (e) => crashes.push(`${page.url()}: ${e}`));
  await page.goto(path.startsWith('http') ? path : origin + path);
  return page;
}

async function signIn(page, user, word = password) {
  await page.fill('[name=user]', user);
  await page.fill('[name=password]', word);
  await page.keyboard.press('Enter');
}

async function details(page, path) {
  await page.fill('#search', path);
  await page.locator('.pointname', { hasText: path.split('/').at(-1) }).first().click();
  await expect(page.locator('.inspector .path')).toSay(path);
}

async function setTo(page, value) {
  await page.fill('#entry', value);
  await page.getByRole('button', { name: 'Set', exact: true }).click();
}

try {
  const page = await open('/d/mill1?tab=points');
  step(page);

  await check('nothing is shown before signing in, and the address stays', async () => {
    await page.locator('.login').waitFor();
    await expect(page.locator('.login')).toSay(/Next: mill1/);
    if (await page.locator('.app').count()) throw new Error('the page is there as well');
    if (!page.url().endsWith('/d/mill1?tab=points')) throw new Error(page.url());
  });

  await check('an empty form says what is missing', async () => {
    await page.fill('[name=user]', '');
    await page.keyboard.press('Enter');
    await expect(page.locator('.login .refusal')).toSay(/user name is missing/);
  });

  await check('a wrong password is refused in words, and the field is ready again', async () => {
    await signIn(page, 'eve', 'three words hers');
    await expect(page.locator('.login .refusal')).toSay(/name or the password is wrong/);
    await expect(page.locator('.login .hint')).toSay(/patchbay user add/);
    await poll(async () => (await page.inputValue('[name=password]')) === '', 'the wrong password stays');
    await poll(() => page.locator('[name=password]').evaluate((e) => e === document.activeElement), 'the field has no focus');
  });

  await check('a viewer lands where they wanted, and the bar says who it is', async () => {
    await signIn(page, 'eve');
    await page.locator('.points').waitFor();
    await expect(page.locator('.user')).toSay(/eve[^]*viewer/);
    await page.locator('.login').waitFor({ state: 'detached' });
  });

  await check('for a viewer, controls look read-only with one line that says why', async () => {
    await details(page, 'macros/500');
    await expect(page.locator('.readonly')).toSay(/eve is signed in as a viewer/);
    if (await page.locator('.inspector .entry, .inspector .cap, .lockbox').count()) throw new Error('there is something to press');
    if (await page.locator('.copyline', { hasText: 'patchbay set' }).count()) throw new Error('a line to set it');
    await expect(page.locator('.copyline', { hasText: 'curl' })).toSay(/Bearer \$PATCHBAY_TOKEN/);
    await expect(page.locator('.copyline', { hasText: 'patchbay_point' })).toSay('patchbay_point{device="mill1",path="macros/500"}');
  });

  await check('a write that a viewer sends past the page is refused', async () => {
    const answer = await page.evaluate(async () => {
      const body = JSON.stringify({ writes: [{ device: 'mill1', path: 'macros/500', value: 1 }], wait: true });
      const r = await fetch('/api/v1/writes', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body });
      return { status: r.status, ...(await r.json()) };
    });
    if (answer.status !== 403) throw new Error(JSON.stringify(answer));
  });

  await check('the log of the gateway is closed to viewers', async () => {
    await page.goto(`${origin}/log`);
    await expect(page.locator('main')).toSay(/for admins/);
    if (await page.locator('.barlink').count()) throw new Error('the bar offers it');
  });

  await check('signing out leaves nothing on the page', async () => {
    await page.goto(`${origin}/d/mill1`);
    await page.locator('.position').waitFor();
    await page.locator('.user').click();
    await expect(page.locator('dialog[open]')).toSay(/look at everything and change nothing/);
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.locator('.login').waitFor();
    if (await page.locator('.position, .axis').count()) throw new Error('values are still there');
    await page.reload();
    await page.locator('.login').waitFor();
  });

  await check('an operator may write what their patterns name', async () => {
    await signIn(page, 'anna');
    await page.locator('.position').waitFor();
    await page.getByRole('link', { name: 'Points' }).click();
    await details(page, 'macros/500');
    await page.locator('h1').click();
    await page.keyboard.press('l');
    await page.locator('.stage.unlocked').waitFor();
    await meanwhile(page, '.outcome', () => setTo(page, '77.5'), 'confirmed');
  });

  await check('and is told which key would allow the rest', async () => {
    await details(page, 'macros/501');
    await expect(page.locator('.readonly')).toSay(/users\.anna\.writable with mill1\/macros\/501/);
  });

  await check('the log shows both writes with who, and the filters narrow it', async () => {
    await page.getByRole('link', { name: 'Log' }).click();
    const lines = page.locator('.logline');
    await expect(lines.filter({ hasText: 'anna' })).toSay(/macros\/500[^]*77\.5[^]*confirmed/);
    await expect(lines.filter({ hasText: 'eve' })).toSay(/refused[^]*viewer/);
    await page.getByRole('button', { name: 'Refused or failed' }).click();
    await poll(async () => (await lines.count()) === 1, 'the refused one is not alone');
    await page.locator('.finder select').selectOption('anna');
    await expect(page.locator('.log')).toSay(/Nothing matches/);
    await page.getByRole('button', { name: 'Everything' }).click();
    await expect(lines).toSay(/anna/);
  });

  const friend = await start(program, ['run', `friend=focas://${await served()}`, '--listen', '127.0.0.1:0']);
  running.push(friend);

  async function served() {
    const answer = await page.evaluate(async () => (await fetch('/api/v1/devices/mill1/value?path=_clients/listen')).json());
    return answer.value;
  }

  await check('a program that shares the control is listed, and can be disconnected', async () => {
    await page.getByRole('link', { name: 'Clients' }).click();
    const row = page.locator('.clients tbody tr').first();
    await expect(row).toSay(/127\.0\.0\.1:\d+/);
    await expect(page.locator('.clients .readings')).toSay(/Programs\s*1/);
    const address = await row.locator('td').first().innerText();
    await row.getByRole('button', { name: /Disconnect/ }).click();
    await poll(async () => !(await page.locator('.clients').innerText()).includes(address), 'it stays connected');
  });

  await check('a session that ends while the page is open comes back to the same place', async () => {
    await page.getByRole('link', { name: 'Points' }).click();
    await page.fill('#search', 'macros');
    await page.evaluate(() => (window.stayed = true));
    await page.context().clearCookies();
    await page.evaluate(() => fetch('/api/v1/devices')); // nobody, for the gateway
    await page.getByRole('link', { name: 'Log' }).click();
    await page.getByRole('link', { name: 'Points' }).click();
    await page.evaluate(() => document.querySelector('.home').click()); // another selection asks for a new stream
    await page.locator('.login').waitFor();
    await expect(page.locator('.login')).toSay(/session of anna has ended/);
    if (await page.locator('.list').isVisible().catch(() => false)) throw new Error('values can be seen behind the form');
    if ((await page.inputValue('[name=user]')) !== 'anna') throw new Error('the name is not kept');
    await page.fill('[name=password]', password);
    await page.keyboard.press('Enter');
    await expect(page.locator('.row .link')).toSay(/connected/);
    if (!(await page.evaluate(() => window.stayed))) throw new Error('the page was loaded again');
    await page.goBack();
    await poll(async () => (await page.inputValue('#search')) === 'macros', 'the search was forgotten');
    await expect(page.locator('.lock')).toSay('Locked');
  });

  await check('signing out in another tab reaches this one, without talk of a lost gateway', async () => {
    await page.locator('#search').waitFor();
    const lost = await page.evaluateHandle(() => {
      const lost = { said: false };
      new MutationObserver(() => (lost.said ||= document.querySelector('.fault') !== null)).observe(document, { subtree: true, childList: true });
      return lost;
    });
    const other = await page.context().newPage();
    await other.goto(`${origin}/`);
    await other.locator('.user').click();
    await other.getByRole('button', { name: 'Sign out' }).click();
    await other.locator('.login').waitFor();
    await other.close();
    await expect(page.locator('.login')).toSay(/session of anna has ended/);
    if (await lost.evaluate((l) => l.said)) throw new Error('the bar said that something is lost');
    await signIn(page, 'eve');
    await page.locator('#search').waitFor();
    await expect(page.locator('.user')).toSay('eve');
    if (await page.locator('.lockbox').count()) throw new Error('what anna might write is offered to eve');
  });

  await check('a port is given back when the session that took it ends, and is not asked for until somebody is in again', async () => {
    const holder = await open('/d/ports?port=1');
    await signIn(holder, 'anna');
    await holder.locator('.xterm-rows').waitFor();
    await holder.locator('.lockbox').waitFor(); // it comes with what may be written; until then L says nothing
    await holder.locator('h2').first().click(); // keys belong to the page, wherever the form had the focus
    await holder.keyboard.press('l');
    await holder.locator('.stage.unlocked').waitFor();
    await holder.getByRole('button', { name: /^Take the port/ }).click();
    await expect(holder.locator('.holding')).toSay('You have the port');
    const asked = [];
    holder.on('request', (r) => r.url().includes('/stream?') && asked.push(r.url()));
    holder.on('websocket', (s) => asked.push(s.url()));
    await holder.evaluate(() => fetch('/api/v1/logout', { method: 'POST' }));
    await expect(holder.locator('.login')).toSay(/session of anna has ended/);
    const watcher = await open('/d/ports?port=1');
    await signIn(watcher, 'root');
    await expect(watcher.getByRole('button', { name: /^Take the port/ })).toSay(/^Take the port$/);
    await watcher.context().close();
    asked.length = 0; // one try may have been under way
    await holder.waitForTimeout(2500);
    if (asked.length > 0) throw new Error(`asked ${asked.length} times`);
    await holder.fill('[name=password]', password);
    await holder.keyboard.press('Enter');
    await expect(holder.locator('.holding')).toSay('Looking');
    await poll(async () => (await holder.locator('.xterm-rows').innerText()).replaceAll('\u00a0', ' ').includes('no longer the owner of the port'), 'the loss is not said');
    await holder.context().close();
  });

  await check('insecure is said on every view, and cannot be put away', async () => {
    const open = await page.context().newPage();
    await open.route('**/api/v1/me', async (route) => {
      const answer = await route.fetch();
      await route.fulfill({ response: answer, json: { ...(await answer.json()), insecure: true, insecure_why: 'no TLS' } });
    });
    for (const path of ['/', '/d/mill1', '/d/mill1?tab=log', '/d/mill1?wall', '/log']) {
      await open.goto(origin + path);
      await expect(open.locator('.insecure')).toSay(/Insecure: no TLS[^]*insecure: true/);
    }
    if (await open.locator('.insecure button').count()) throw new Error('there is a button on it');
    await open.close();
  });

  await check('an admin reads the log of the gateway, and it grows by itself', async () => {
    const admin = await open('/log');
    await signIn(admin, 'root');
    const lines = admin.locator('.logline');
    await expect(lines.filter({ hasText: 'eve' }).filter({ hasText: 'macros/500' })).toSay(/refused/);
    await expect(lines.filter({ hasText: 'login' }).filter({ hasText: 'refused' })).toSay(/login/);
    const before = await lines.count();
    const other = await open('/');
    await signIn(other, 'eve');
    await other.locator('.row').first().waitFor();
    await poll(async () => (await lines.count()) > before, 'the sign-in of somebody else does not appear');
    if ((await admin.innerText('body')).includes('argon2')) throw new Error('a hash is on the page');
    await other.context().close();
    await admin.context().close();
  });

  await check('the form says how long to wait after many failures, and lets go', async () => {
    const guess = await open('/');
    await signIn(guess, 'anna', 'wrong');
    await guess.locator('.login .refusal').waitFor();
    await guess.route('**/api/v1/login', async (route) => {
      let answer; // more failures at once than a slow computer could make by hand within the wait after the one before
      do answer = await route.fetch();
      while (Number(answer.headers()['retry-after'] ?? 0) < 4);
      await route.fulfill({ response: answer });
    });
    await guess.locator('.login .cap:enabled').waitFor();
    await signIn(guess, 'anna', 'wrong again');
    await expect(guess.locator('.login .cap')).toSay(/Again in \d+ s/);
    await expect(guess.locator('.login .refusal')).toSay(/Too many failed attempts/);
    await guess.unroute('**/api/v1/login');
    await guess.locator('.login .cap:enabled').waitFor();
    await signIn(guess, 'anna');
    await guess.locator('.row').first().waitFor();
    await guess.context().close();
  });

  await check('no view scrolls sideways at 320 px, the form and the bar included', async () => {
    const narrow = await open('/', { viewport: { width: 320, height: 640 } });
    const fits = async (what) => {
      const over = await narrow.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      if (over > 0) throw new Error(`${what} by ${over} px`);
    };
    await narrow.locator('.login').waitFor();
    await fits('the form');
    await signIn(narrow, 'root');
    await narrow.locator('.row').first().waitFor();
    for (const path of ['/', '/log', '/d/mill1', '/d/mill1?tab=clients', '/d/mill1?tab=log']) {
      await narrow.goto(origin + path);
      await narrow.locator('.row, .viewtitle, .position, .clients, .log').first().waitFor();
      await fits(path);
    }
    await narrow.context().close();
  });

  await check('an empty gateway finds out what stands at an address', async () => {
    const empty = await start(program, ['run', configure('empty.yaml', 'listen: 127.0.0.1:0\n')]);
    running.push(empty);
    const first = await open(new URL(empty.address).origin);
    await first.fill('#address', '127.0.0.1:9');
    await first.getByRole('button', { name: 'Find out what this is' }).click();
    await expect(first.locator('.probe .refusal')).toSay(/belongs to no protocol[^]*--any-port/);
    if (await first.locator('.user').count()) throw new Error('somebody is signed in where nobody needs to');
    await first.context().close();
  });

  await check('the page never failed', async () => {
    if (crashes.length > 0) throw new Error(crashes.join('; '));
  });
} catch (e) {
  await check('the run itself', async () => {
    throw e;
  });
} finally {
  await browser.close();
  for (const one of running.reverse()) await one.stop();
  close();
}
finish();
