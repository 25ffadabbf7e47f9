// Levels by hand, keys and typing; what is on only while it is held; channels that are a pair.
import { check, expect, poll, shaken } from '../checks.mjs';

const unlock = async (page) => {
  await page.keyboard.press('l');
  await page.locator('.stage.unlocked').waitFor();
};

export async function levelChecks({ name, specs, open, api, valueOf }) {
  const home = `/d/${encodeURIComponent(name)}`;
  const of = (role) => specs.filter((s) => s.role === role && s.writable);
  const page = await open(home);
  await page.locator('.audio').waitFor();

  const talk = of('audio.monitor.talkback')[0];
  if (talk) {
    await check('levels: talkback is on while it is held, by hand and by key, and goes off with either, with the focus and with the page', async () => {
      const button = page.getByRole('button', { name: 'Talkback' });
      const says = (on, when = '') => poll(async () => (await valueOf(name, talk.path)) === on, `the device does not say ${on} ${when}`);
      await shaken(page, () => button.click());
      if (await valueOf(name, talk.path)) throw new Error('it went on while locked');
      await unlock(page);
      await button.hover();
      await page.mouse.down();
      await says(true);
      await expect(button).toHave('aria-pressed', 'true');
      await page.mouse.move(5, 5);
      await page.mouse.up(); // the hand has left the button meanwhile
      await says(false);
      await button.focus();
      for (const key of ['Space', 'Enter']) {
        await page.keyboard.down(key);
        await says(true);
        await page.keyboard.up(key);
        await says(false);
      }
      await page.keyboard.down('Space');
      await says(true);
      await page.evaluate(() => document.activeElement.blur());
      await says(false);
      await page.keyboard.up('Space');
      await button.focus();
      await page.keyboard.down('Space');
      await says(true);
      await page.goto('about:blank');
      await says(false, 'after the page');
      await page.goBack();
      await page.locator('.audio').waitFor();
    });

    await check('levels: talkback that was left on elsewhere is seen, and a press takes it off without unlocking', async () => {
      await api('/writes', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ writes: [{ device: name, path: talk.path, value: true }], wait: true }) });
      const button = page.getByRole('button', { name: 'Talkback' });
      await expect(button).toHave('aria-pressed', 'true');
      await expect(page.locator('.lock')).toSay('Locked');
      await button.click();
      await poll(async () => (await valueOf(name, talk.path)) === false, 'it stays on');
    });
  }

  const slot = of('audio.mix.gain')[0];
  if (slot) {
    await check('levels: keys, a double click, and an entry with its unit', async () => {
      await unlock(page);
      const row = page.locator('.mixer .mixrow:not(.master)').first();
      await row.scrollIntoViewIfNeeded();
      const fader = row.getByRole('slider').first();
      const says = (text) => expect(row.locator('button.exact').first()).toSay(text);
      await row.locator('button.exact').first().click();
      await row.locator('.entering input').fill('−12,5 dB');
      await row.locator('.entering input').press('Enter');
      await says('−12.5');
      await fader.focus();
      await page.keyboard.press('ArrowUp');
      await says('−11.5');
      await page.keyboard.press('Shift+ArrowDown');
      await says('−11.6');
      let release;
      const held = new Promise((r) => (release = r));
      await page.route(
        '**/api/v1/writes',
        async (route) => {
          await held;
          return route.continue();
        },
        { times: 1 },
      );
      const underWay = page.waitForRequest('**/api/v1/writes');
      await page.keyboard.press('ArrowUp');
      await underWay;
      await page.keyboard.press('ArrowUp'); // a second step, and not the first once more
      release();
      await says('−9.6');
      await page.keyboard.press('0');
      await says(/^0\.0/);
      await page.keyboard.press('Home');
      await says('−∞');
      await fader.dblclick();
      await says(/^0\.0/);
      await page.keyboard.press('Home');
      await says('−∞');
      await page.keyboard.press('l');
    });
  }

  const level = of('audio.monitor.level').find((s) => s.attributes?.['max-step']);
  if (level) {
    await check('levels: monitors get louder in steps that the device takes, and by no slip', async () => {
      await unlock(page);
      const card = page.locator('.monitor');
      const fader = card.getByRole('slider');
      const set = async (text) => {
        await card.locator('button.exact').click();
        await expect(card.locator('.entering')).toSay(`louder by at most ${level.attributes['max-step']} dB at once`);
        await card.locator('.entering input').fill(text);
        await card.locator('.entering input').press('Enter');
      };
      await set('-60');
      await expect(page.locator('.monitorlevel')).toSay('−60.0');
      await fader.dblclick();
      await fader.press('0');
      await set('0');
      await expect(card.locator('.trouble')).toSay(/max_step/);
      await card.getByRole('button', { name: 'Understood' }).click();
      if ((await valueOf(name, level.path)) !== -60) throw new Error(`it is ${await valueOf(name, level.path)}`);
      // A hand that is faster than the steps is followed in steps.
      const box = await fader.boundingBox();
      const y = box.y + box.height / 2;
      await page.mouse.move(box.x + 10, y);
      await page.mouse.down();
      await page.mouse.move(box.x + box.width * 2, y);
      await expect(page.locator('.monitorlevel')).toSay(/^0\.0/);
      await page.mouse.up();
      if (await card.locator('.trouble').count()) throw new Error(await card.locator('.trouble').first().innerText());
      await set('-30');
      await page.keyboard.press('l');
    });
  }

  const pair = specs.find((s) => /^outputs\/[^/]+\/stereo$/.test(s.path) && s.writable && s.attributes?.['stereo-name'] && specs.some((g) => g.path === s.path.replace(/stereo$/, 'source')));
  if (pair) {
    await check('levels: a linked pair is one row with both meters, under the name of both, and comes apart again', async () => {
      await unlock(page);
      const rows = page.getByRole('region', { name: 'Outputs' }).locator('.mixrow');
      const before = await rows.count();
      await page.getByRole('button', { name: `${pair.attributes.name}, linked as a pair` }).click();
      const one = page.getByRole('group', { name: pair.attributes['stereo-name'], exact: true });
      await one.waitFor();
      await poll(async () => (await rows.count()) === before - 1, 'the right one keeps a row');
      if ((await one.locator('.meter').count()) !== 2) throw new Error('not two meters');
      await one.getByRole('button', { name: /linked as a pair$/ }).click();
      await poll(async () => (await rows.count()) === before, 'still a pair');
      await page.keyboard.press('l');
    });

    await check('levels: so is a linked pair of a mix; only the left one of a pair can be linked', async () => {
      await unlock(page);
      const rows = page.locator('.mixer li.mixrow');
      const before = await rows.count();
      await page.getByRole('button', { name: 'slot 3, linked as a pair' }).click();
      await page.getByRole('group', { name: 'slot 3 and 4' }).waitFor();
      await poll(async () => (await rows.count()) === before - 1, 'the right one keeps a row');
      await page.getByRole('button', { name: 'slot 3 and 4, linked as a pair' }).click();
      await poll(async () => (await rows.count()) === before, 'still a pair');
      if (await page.getByRole('button', { name: 'slot 4, linked as a pair' }).count()) throw new Error('the right one can be linked');
      await page.keyboard.press('l');
    });
  }

  if (specs.some((s) => s.role === 'audio.mix.source')) {
    await check('levels: on a phone the sources of a mix can be told apart', async () => {
      const phone = await open(home, { viewport: { width: 375, height: 740 } });
      await phone.locator('.mixer li.mixrow select').first().waitFor();
      const narrowest = await phone.locator('.mixer li.mixrow select').evaluateAll((all) => Math.min(...all.map((s) => s.getBoundingClientRect().width)));
      if (narrowest < 160) throw new Error(`${narrowest} px`);
      await phone.context().close();
    });
  }

  const pan = specs.find((s) => /\/pan$/.test(s.path) && s.writable && s.kind === 'int' && !s.min && !s.max);
  if (pan) {
    await check('levels: a place whose unit nobody knows is a number, not a way that would be made up', async () => {
      await unlock(page);
      const box = page.locator('.mixer li.mixrow').first().locator('.pan');
      if (await box.getByRole('slider').count()) throw new Error('a fader without ends');
      for (const [text, says] of [['1.5', /whole number/], ['-3', /−3/], ['0', /0/]]) {
        await box.locator('button.exact').click();
        await box.locator('input').fill(text);
        await box.locator('input').press('Enter');
        await expect(box).toSay(says);
        if (text === '1.5') await box.locator('input').press('Escape');
      }
      await page.keyboard.press('l');
    });
  }

  if (specs.some((s) => s.role === 'audio.meter')) {
    await check('levels: meters move nothing on the page, and the canvas is no larger than they are', async () => {
      await page.evaluate(() => scrollTo(0, 0));
      const shifted = await page.evaluate(async () => {
        const moved = [];
        const parts = '.strip, .mixrow, .bridge';
        const seen = new PerformanceObserver((list) => list.getEntries().forEach((e) => moved.push(...e.sources.map((s) => s.node?.closest?.(parts)))));
        seen.observe({ type: 'layout-shift' });
        for (let i = 0; i < 60; i++) await new Promise(requestAnimationFrame);
        seen.disconnect();
        return moved.filter(Boolean).map((n) => n.className);
      });
      if (shifted.length > 0) throw new Error(`moved: ${shifted}`);
      const [canvas, panel] = await page.evaluate(() => ['.metercanvas', '.audio'].map((s) => document.querySelector(s).getBoundingClientRect()).map((b) => b.width * b.height));
      if (canvas === 0 || canvas > panel * 0.8) throw new Error(`${canvas} of ${panel} px`);
    });
  }
  await page.context().close();
}
