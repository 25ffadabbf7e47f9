// The panel of an audio interface: levels, meters, the safe side, what the device alone sets, mixes.
import { check, expect, poll, shaken } from '../checks.mjs';

const minus = (n, decimals = 1) => n.toFixed(decimals).replace('-', '−');

export async function audioChecks({ name, device, specs, open, api, valueOf, wide, network, complaints }) {
  const home = `/d/${encodeURIComponent(name)}`;
  const asked = [];
  const page = await open(home);
  page.on('request', (r) => r.url().includes('/events') && asked.push(r.url()));
  const of = (role) => specs.filter((s) => s.role === role);
  await page.locator('.audio').waitFor();
  const waiting = (await api('/devices')).devices.find((d) => d.name === name).link.state === 'waiting';

  await check('audio: it is dark by itself', async () => {
    await poll(async () => (await page.evaluate(() => Number(/\d+/.exec(getComputedStyle(document.body).backgroundColor)[0]))) <= 60, 'not dark');
  });

  const level = of('audio.monitor.level')[0];
  if (level) {
    await check('audio: the monitor level is large, in dB, and says who sets it', async () => {
      const value = await valueOf(name, level.path);
      const silent = value === null || value <= Number(level.attributes?.silence ?? -Infinity);
      await expect(page.locator('.monitorlevel')).toSay(silent ? '−∞' : minus(value, level.decimals ?? 1));
      if (!level.access.includes('w')) await expect(page.locator('.monitor')).toSay(/set on the device/);
      const why = level.attributes?.['read-only'];
      if (why) await expect(page.locator('.monitor')).toSay(why.slice(1));
      else if (level.writable) await page.locator('.monitor [role=slider]').waitFor();
    });
  }

  const meters = of('audio.meter');
  if (meters.length > 0) {
    await check('audio: meters are drawn on one canvas, and their peaks stand above', async () => {
      if ((await page.locator('.audio canvas').count()) !== 1) throw new Error('not one canvas');
      await poll(async () => (await page.locator('.peak').allInnerTexts()).some((t) => /^−\d/.test(t) || t === '0.0' || t === 'CLIP'), 'no level came');
      const painted = () => page.evaluate(() => {
        const c = document.querySelector('.metercanvas');
        const pixels = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;
        let sum = 0;
        for (let i = 3; i < pixels.length; i += 64) sum += pixels[i];
        return sum;
      });
      if ((await painted()) === 0) throw new Error('nothing is painted');
      const texts = await page.locator('.peak').allInnerTexts();
      if (texts.some((t) => t.includes('128'))) throw new Error('silence reads −128');
    });

    await check('audio: a peak is reset by a touch', async () => {
      const peak = page.locator('.peak').first();
      const before = await peak.innerText();
      await poll(async () => {
        await peak.click();
        return (await peak.innerText()) !== before;
      }, 'it stays');
    });

    await check('audio: meters are read only while they are seen', async () => {
      const own = await open(home);
      const urls = [];
      own.on('request', (r) => r.url().includes('/events') && urls.push(r.url()));
      const ended = [];
      own.on('requestfailed', (r) => ended.push(r.url()));
      own.on('requestfinished', (r) => ended.push(r.url()));
      await own.reload();
      await own.locator('.audio canvas').waitFor();
      await poll(() => urls.some((u) => u.includes('role=audio.meter')), 'no stream of meters');
      if (!urls.some((u) => u.includes('except=audio.meter'))) throw new Error('the stream of the tab holds the meters');
      await own.getByRole('link', { name: 'Link' }).click();
      await own.locator('.linkview').waitFor();
      await poll(() => ended.some((u) => u.includes('role=audio.meter')), 'the stream of meters goes on');
      await own.context().close();
    });
  }

  const silentMix = of('audio.mix.gain').find((s) => s.writable && (s.attributes?.silence || s.min <= -120));
  const toggle = of('audio.air').find((s) => s.writable) ?? of('audio.pad').find((s) => s.writable);
  const monitorMute = of('audio.monitor.mute').find((s) => s.writable);

  if (toggle && !waiting) {
    await check('audio: a locked control shakes the lock; unlocked it follows the device', async () => {
      const word = toggle.role === 'audio.air' ? 'air' : 'pad';
      const button = page.getByRole('button', { name: new RegExp(`, ${word}$`) }).first();
      const before = await button.getAttribute('aria-pressed');
      await shaken(page, () => button.click());
      await page.keyboard.press('l');
      await page.locator('.stage.unlocked').waitFor();
      await button.click();
      await poll(async () => (await button.getAttribute('aria-pressed')) !== before, 'the device did not follow');
      await button.click();
      await poll(async () => (await button.getAttribute('aria-pressed')) === before, 'nor back');
      await page.keyboard.press('l');
    });
  }

  if (monitorMute && !waiting) {
    await check('audio: muting needs no unlocking, and unmuting does', async () => {
      const button = page.getByRole('button', { name: 'Mute the monitors' });
      if ((await button.getAttribute('aria-pressed')) === 'true') {
        await page.keyboard.press('l');
        await button.click();
        await expect(button).toHave('aria-pressed', 'false');
        await page.keyboard.press('l');
      }
      await button.click();
      await expect(button).toHave('aria-pressed', 'true');
      await shaken(page, () => button.click());
      await page.waitForTimeout(300);
      await expect(button).toHave('aria-pressed', 'true');
      await page.keyboard.press('l');
      await button.click();
      await expect(button).toHave('aria-pressed', 'false');
      await page.keyboard.press('l');
    });
  }

  const phantom = of('audio.phantom').find((s) => s.writable);
  if (phantom && !waiting) {
    await check('audio: 48 V asks and wants a hold, both ways', async () => {
      await page.keyboard.press('l');
      const button = page.getByRole('button', { name: /, 48 volts$/ }).first();
      const before = await valueOf(name, phantom.path);
      for (const wanted of [!before, before]) {
        await button.click();
        const sheet = page.locator('dialog[open]');
        await expect(sheet).toSay(/48 V/);
        if ((await valueOf(name, phantom.path)) === wanted) throw new Error('a press was enough');
        await sheet.locator('.danger').focus();
        await page.keyboard.down('Enter');
        await sheet.waitFor({ state: 'detached' });
        await page.keyboard.up('Enter');
        await poll(async () => (await valueOf(name, phantom.path)) === wanted, 'the hold did nothing');
      }
      await page.keyboard.press('l');
    });
  }

  if (silentMix && !waiting) {
    await check('audio: a mix has minus infinity as a stop, and takes exact values', async () => {
      await page.keyboard.press('l');
      const row = page.locator('.mixer .mixrow:not(.master)').first();
      await row.scrollIntoViewIfNeeded();
      const set = async (text) => {
        await row.locator('.level button.exact').click();
        await row.locator('.entering input').fill(text);
        await row.locator('.entering input').press('Enter');
      };
      await set('loud');
      await expect(row.locator('.entering')).toSay(/Wanted/);
      await row.locator('.entering input').press('Escape');
      await set('-12.5');
      await expect(row.locator('.level button.exact')).toSay('−12.5');
      await set('-inf');
      await expect(row.locator('.level button.exact')).toSay('−∞');
      const fader = row.getByRole('slider').first();
      const box = await fader.boundingBox();
      const y = box.y + box.height / 2;
      // Taken somewhere in the middle it does not jump there.
      await page.mouse.move(box.x + box.width * 0.6, y);
      await page.mouse.down();
      await page.waitForTimeout(200);
      await expect(row.locator('.level button.exact')).toSay('−∞');
      await page.mouse.move(box.x + box.width * 0.8, y, { steps: 6 });
      await page.mouse.up();
      await poll(async () => !(await row.locator('.level button.exact').innerText()).includes('∞'), 'the fader did not follow');
      await page.mouse.move(box.x + box.width * 0.9, y);
      await page.mouse.down();
      await page.mouse.move(box.x + 2, y, { steps: 6 });
      await page.mouse.up();
      await expect(row.locator('.level button.exact')).toSay('−∞');
      await page.keyboard.press('l');
    });
  }

  await check('audio: narrow and wall screens hold it', async () => {
    for (const [width, height, more] of [[320, 640, ''], [768, 1024, ''], [1920, 1080, '?wall']]) {
      const other = await open(home + more, { viewport: { width, height } });
      await other.locator('.audio .card').first().waitFor();
      if ((await wide(other)) > 0) throw new Error(`${width} px${more}: by ${await wide(other)} px`);
      await other.context().close();
    }
  });

  if (waiting) {
    await check('audio: what a person must do first is said, and values are shown meanwhile', async () => {
      await expect(page.locator('.pairing h2')).toSay(/^Waiting for approval in Focusrite Control/);
      await expect(page.locator('.pairing')).toSay(/press Approve beside/);
      await expect(page.locator('.pairing')).toSay(/When it was refused/);
      await expect(page.locator('.linkwords')).toSay('waiting for approval');
      await page.locator('.audio .strip').first().waitFor();
    });
  }

  if (level) {
    await check('audio: the list says the monitor level', async () => {
      const list = await open('/');
      await expect(list.locator('.row', { hasText: device.name }).first().locator('.headline')).toSay(/Monitors/);
      await list.context().close();
    });
  }
  await check('audio: while the gateway is lost every control is hatched, what is off too', async () => {
    network.silence();
    try {
      await page.locator('.stage.lost').waitFor();
      const fresh = await page.locator('.audio').locator('.key.told, .pick').evaluateAll((all) => all.filter((e) => !getComputedStyle(e).backgroundImage.includes('gradient')).map((e) => e.innerText));
      if (fresh.length > 0) throw new Error(`they look fresh: ${fresh.join(', ')}`);
    } finally {
      network.speak(); // for the checks after this one
    }
    await page.locator('.stage.lost').waitFor({ state: 'detached' });
    complaints.length = 0; // the browser reports the requests that were lost
  });
  await page.context().close();
}
