// The panel of a video switcher, and the tally page.
import { check, expect, meanwhile, poll, shaken } from '../checks.mjs';

export async function switcherChecks({ name, specs, labels, commands, open, api, valueOf, wide, network, complaints }) {
  const home = `/d/${encodeURIComponent(name)}`;
  const me = specs.find((s) => s.role === 'av.program').path.replace(/\/program$/, '');
  const program = `${me}/program`;
  const preview = `${me}/preview`;
  const sources = labels[specs.find((s) => s.path === program).labels];
  const page = await open(home);
  const row = (bus) => page.getByRole('group', { name: new RegExp(`^${bus}, M/E 1$`) });
  const source = (bus, key) => row(bus).getByRole('button', { name: new RegExp(`source ${key}(,|$)`) });
  const lit = (bus) => row(bus).locator('.source.chosen .number').innerText();
  await row('Program').waitFor();
  const keys = await row('Preview').locator('.source .number').allInnerTexts();

  await check('switcher: program stands over preview, in the same order and width', async () => {
    const of = async (bus) => row(bus).locator('.source').evaluateAll((all) => all.map((e) => `${e.querySelector('.number').textContent} ${Math.round(e.getBoundingClientRect().left)} ${Math.round(e.getBoundingClientRect().width)}`).join());
    if ((await of('Program')) !== (await of('Preview'))) throw new Error('the rows differ');
    const tops = await Promise.all(['Program', 'Preview'].map(async (bus) => (await row(bus).boundingBox()).y));
    if (tops[0] >= tops[1]) throw new Error('preview is above program');
    if ((await lit('Program')) !== (await valueOf(name, program))) throw new Error('another source than the device says');
  });

  await check('switcher: it is dark by itself, and the words stand with the colours', async () => {
    await poll(async () => (await page.evaluate(() => Number(/\d+/.exec(getComputedStyle(document.body).backgroundColor)[0]))) <= 60, 'not dark');
    await expect(row('Program').locator('.source.chosen .word')).toSay('PGM');
    await expect(row('Preview').locator('.source.chosen .word')).toSay(/PVW|PGM/);
  });

  await check('switcher: a locked button only shakes the lock', async () => {
    const before = await valueOf(name, preview);
    const other = keys.find((k) => k !== before);
    await shaken(page, () => source('Preview', other).click());
    await page.keyboard.press('3');
    await page.keyboard.press('Space');
    await page.waitForTimeout(300);
    if ((await valueOf(name, preview)) !== before) throw new Error('it acted');
  });

  await check('switcher: a press is outlined, and the fill waits for the device', async () => {
    await page.keyboard.press('l');
    await page.locator('.stage.unlocked').waitFor();
    const before = await valueOf(name, preview);
    const other = keys.find((k) => k !== before && k !== '0');
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
    await source('Preview', other).click();
    await page.locator('.source.sent').waitFor();
    if ((await lit('Preview')) !== before) throw new Error('drawn ahead of the device');
    release();
    await poll(async () => (await lit('Preview')) === other, 'the device never said so');
    await poll(async () => (await page.locator('.source.sent').count()) === 0, 'the outline stays');
  });

  await check('switcher: two quick presses are both sent', async () => {
    const [a, b] = keys.filter((k) => Number(k) > 0 && Number(k) < 1000);
    await page.route(
      '**/api/v1/writes',
      async (route) => {
        await new Promise((r) => setTimeout(r, 300)); // the second comes while the first is under way
        return route.continue();
      },
      { times: 1 },
    );
    await source('Preview', a).click();
    await source('Preview', b).click();
    await poll(async () => (await valueOf(name, preview)) === b, 'the second press was lost');
    await source('Preview', b).click();
    await source('Preview', a).click();
    await poll(async () => (await lit('Preview')) === a, 'the second press was lost');
  });

  await check('switcher: what somebody else does carries their name for a while', async () => {
    const [a, b] = keys.filter((k) => Number(k) > 0 && Number(k) < 1000);
    const wanted = (await valueOf(name, preview)) === a ? b : a;
    await api('/writes', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ writes: [{ device: name, path: preview, value: wanted }], wait: true }) });
    await expect(source('Preview', wanted).locator('.visitor')).toSay(/\d/);
    await poll(async () => (await page.locator('.source .visitor').count()) === 0, 'the name stays');
  });

  await check('switcher: a preview and a cut keep their order, also when the first is slow on its way', async () => {
    const [a, b, c] = keys.filter((k) => Number(k) > 0 && Number(k) < 1000);
    await source('Program', a).click();
    await source('Preview', b).click();
    await poll(async () => (await lit('Program')) === a && (await lit('Preview')) === b, 'the buses did not follow');
    await page.route(
      '**/api/v1/writes',
      async (route) => {
        await new Promise((r) => setTimeout(r, 400));
        return route.continue();
      },
      { times: 1 },
    );
    await source('Preview', c).click();
    await page.keyboard.press('Space');
    await poll(async () => (await lit('Program')) === c, 'it cut to what was there before');
  });

  const routed = specs.find((s) => s.role === 'av.aux.source' && s.writable);
  if (routed) {
    await check('switcher: keys in a list propose, and Enter sends', async () => {
      const before = await valueOf(name, routed.path);
      const list = page.getByRole('combobox', { name: /^Source of AUX/ }).first();
      await list.focus();
      await page.keyboard.press('ArrowDown');
      await page.keyboard.press('ArrowDown');
      await expect(page.locator('.proposal')).toSay(/Enter sends/);
      if ((await valueOf(name, routed.path)) !== before) throw new Error('sent on the way');
      const proposed = await list.inputValue();
      await page.keyboard.press('Enter');
      await poll(async () => (await valueOf(name, routed.path)) === proposed, 'Enter did not send');
      await page.evaluate(() => document.activeElement.blur());
    });
  }

  await check('switcher: CUT changes the buses, and Space does the same', async () => {
    const [a, b] = keys.filter((k) => Number(k) > 0 && Number(k) < 1000);
    await source('Program', a).click();
    await poll(async () => (await lit('Program')) === a, 'program did not follow');
    await source('Preview', b).click();
    await poll(async () => (await lit('Preview')) === b, 'preview did not follow');
    await page.getByRole('region', { name: 'Transition, M/E 1' }).getByRole('button', { name: 'Cut', exact: true }).click();
    await poll(async () => (await lit('Program')) === b, 'CUT did nothing');
    await page.keyboard.press('Space');
    await poll(async () => (await lit('Program')) === a && (await lit('Preview')) === b, 'Space did not cut');
  });

  await check('switcher: both sources are red during a transition', async () => {
    const red = '[role=group][aria-label="Preview, M/E 1"] .source.chosen.pgm'; // for as long as the transition takes
    await meanwhile(page, red, () => page.keyboard.press('Enter'));
    await poll(async () => (await row('Preview').locator('.source.chosen.pvw').count()) === 1, 'preview stays red');
  });

  await check('switcher: a digit chooses on preview, Shift and a digit nothing until it is allowed', async () => {
    const before = await valueOf(name, program);
    await page.keyboard.press('2');
    await poll(async () => (await lit('Preview')) === keys[1], 'the digit did nothing');
    await page.keyboard.press('Shift+Digit3');
    await page.waitForTimeout(300);
    if ((await valueOf(name, program)) !== before) throw new Error('Shift and a digit went on air');
    await page.keyboard.press('?');
    await expect(page.locator('dialog[open] .keys')).toSay(/Space[^]*cut/);
    await page.getByRole('checkbox', { name: /program source/ }).check();
    await page.keyboard.press('Escape');
    await page.keyboard.press('Shift+Digit3');
    await poll(async () => (await lit('Program')) === keys[2], 'allowed, and nothing happened');
  });

  const dsk = specs.find((s) => s.role === 'av.dsk.on-air' && s.writable);
  if (dsk) {
    await check('switcher: a downstream keyer on air is red, with its word', async () => {
      const n = dsk.path.split('/')[1];
      const button = page.getByRole('button', { name: `Downstream key ${n} on air` });
      if ((await button.getAttribute('aria-pressed')) === 'true') {
        await button.click();
        await expect(button).toHave('aria-pressed', 'false');
      }
      await button.click();
      await expect(button).toHave('aria-pressed', 'true');
      await expect(button).toSay(/ON AIR/);
      await button.click();
      await expect(button).toHave('aria-pressed', 'false');
    });
  }

  if (commands.some((c) => /^ftb\/\d+\/auto$/.test(c.path) && c.writable)) {
    await check('switcher: FTB puts a strip over the panel, and takes it away', async () => {
      const button = page.getByRole('region', { name: 'Fade to black' }).getByRole('button', { name: /^Fade (to|from) black$/ });
      await button.click();
      await expect(page.locator('.blackstrip')).toSay(/BLACK/);
      await expect(page.locator('.ftb .sub')).toSay('BLACK');
      await button.click();
      await poll(async () => (await page.locator('.blackstrip').count()) === 0, 'the strip stays');
    });
  }

  await check('switcher: the rate is entered as seconds and frames, and a wrong one says the range', async () => {
    const rate = page.getByRole('button', { name: 'Rate of the transition, change' });
    const before = await rate.innerText();
    await rate.click();
    const entry = page.getByRole('textbox', { name: /Rate of the transition/ });
    await entry.fill('never');
    await entry.press('Enter');
    await expect(page.locator('.entering')).toSay(/Wanted/);
    await entry.fill(before.includes('1:05') ? '1:06' : '1:05');
    await entry.press('Enter');
    await expect(page.getByRole('button', { name: 'Rate of the transition, change' })).toSay(before.includes('1:05') ? '1:06' : '1:05');
  });

  await check('switcher: the T-bar follows the hand relative to where it was taken, and ends the transition', async () => {
    const before = await lit('Program');
    const bar = page.getByRole('slider', { name: 'T-bar' }).first();
    await bar.scrollIntoViewIfNeeded();
    const box = await bar.boundingBox();
    const x = box.x + box.width / 2;
    await page.mouse.move(x, box.y + box.height * 0.2);
    await page.mouse.down();
    await page.mouse.move(x, box.y + box.height * 0.2 - box.height * 0.3, { steps: 8 });
    await poll(async () => Math.abs(Number(await bar.getAttribute('aria-valuenow')) - 0.3) < 0.06, 'the T-bar jumped to the finger');
    await page.mouse.move(x, box.y - box.height, { steps: 12 });
    await page.mouse.up();
    await poll(async () => (await lit('Program')) !== before, 'the transition did not end');
    await poll(async () => Number(await bar.getAttribute('aria-valuenow')) === 0, 'the T-bar did not begin anew');
  });

  await check('switcher: nothing is sent while the gateway is lost, and nothing later', async () => {
    const before = await valueOf(name, preview);
    const other = keys.find((k) => k !== before && Number(k) > 0);
    network.silence();
    await page.locator('.fault').waitFor();
    await source('Preview', other).click();
    await expect(page.locator('.trouble')).toSay(/no contact with the gateway/);
    if (await row('Program').locator('.source.pgm').evaluateAll((all) => all.some((e) => !getComputedStyle(e).backgroundImage.includes('gradient')))) throw new Error('on air looks fresh');
    network.speak();
    await poll(async () => (await page.locator('.fault').count()) === 0, 'the gateway does not come back');
    await page.waitForTimeout(500);
    const now = await valueOf(name, preview);
    if (now !== before) throw new Error(`it was sent later: ${before} became ${now}, and ${other} was pressed`);
    await page.getByRole('button', { name: 'Understood' }).click();
    complaints.length = 0; // the browser reports the requests that were lost
  });

  await check('switcher: phones, tablets and walls show it without scrolling sideways', async () => {
    for (const [width, height, more] of [[320, 640, ''], [360, 740, ''], [1024, 768, ''], [1920, 1080, '?wall'], [320, 640, '?wall']]) {
      const other = await open(home + more, { viewport: { width, height } });
      await other.locator('.source').first().waitFor();
      if ((await wide(other)) > 0) throw new Error(`${width} px${more}: by ${await wide(other)} px`);
      const low = await other.locator('.cap').evaluateAll((all) => all.filter((e) => e.getBoundingClientRect().height < 47.5 && e.offsetParent).length);
      if (low > 0) throw new Error(`${width} px: ${low} buttons lower than 48 px`);
      await other.context().close();
    }
  });

  const tally = specs.filter((s) => s.role === 'av.tally');
  if (tally.length > 0) {
    await check('tally: a phone shows one source whole, live, with its name', async () => {
      const on = await valueOf(name, program);
      const phone = await open(`/tally/${encodeURIComponent(name)}/${on}`, { viewport: { width: 360, height: 740 } });
      await expect(phone.locator('.tallyscreen')).toSay(/ON AIR/);
      const label = sources.find((s) => s.key === on);
      await expect(phone.locator('.tallyscreen')).toSay(label.short || label.text);
      const beat = () => phone.locator('.beat').innerHTML();
      const first = await beat();
      await poll(async () => (await beat()) !== first, 'the mark stands still');
      await source('Program', keys.find((k) => k !== on && Number(k) > 0 && Number(k) < 1000)).click();
      await poll(async () => !(await phone.locator('.tallyscreen').innerText()).includes('ON AIR'), 'it stays on air');
      await phone.context().close();
    });

    await check('tally: a lost link says NO TALLY within a second', async () => {
      const on = await valueOf(name, program);
      const phone = await open(`/tally/${encodeURIComponent(name)}/${on}`, { viewport: { width: 740, height: 360 } });
      await phone.clock.install();
      await phone.reload();
      await expect(phone.locator('.tallyscreen')).toSay(/ON AIR/);
      // The second is one of the page's own clock, which stands but for the steps here: how busy this computer is does not count.
      await phone.clock.pauseAt((await phone.evaluate(() => Date.now())) + 1000);
      await expect(phone.locator('.tallyscreen')).toSay(/ON AIR/);
      network.silence();
      await phone.clock.runFor(500);
      await expect(phone.locator('.tallyscreen')).toSay(/ON AIR/);
      await phone.clock.runFor(500);
      await expect(phone.locator('.tallyscreen')).toSay(/NO TALLY/);
      network.speak();
      await phone.clock.resume();
      await expect(phone.locator('.tallyscreen')).toSay(/ON AIR/);
      await phone.context().close();
      complaints.length = 0;
    });

    await check('tally: a source that is not there is said, with those that are', async () => {
      const phone = await open(`/tally/${encodeURIComponent(name)}/no-such-source`, { viewport: { width: 320, height: 640 } });
      await expect(phone.locator('.tallyscreen')).toSay(/has no source no-such-source/);
      if ((await wide(phone)) > 0) throw new Error('it scrolls sideways');
      await phone.context().close();
    });
  }

  await check('switcher: the list says what is on air', async () => {
    const list = await open('/');
    const line = list.locator('.row', { hasText: name }).first();
    await expect(line.locator('.plate')).toSay('PGM');
    await list.context().close();
  });
  await page.context().close();
}
