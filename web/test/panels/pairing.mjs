// A device that lets patchbay in only after a person there has said so: what is asked of whom, the refusal, the code, the panel after it.
import { check, expect, poll, shaken } from '../checks.mjs';

/** computer is the screen of the simulated computer, and the click of the person there. */
function computer(screen) {
  const there = `${screen.replace(/\/$/, '')}/api`;
  const prompt = async () => (await fetch(`${there}/prompt`)).json();
  const click = async (what) => {
    await poll(async () => (await prompt()).asks, 'nobody is asked there');
    const answer = await fetch(`${there}/${what}`, { method: 'POST' });
    if (!answer.ok) throw new Error(`${what}: ${answer.status}`);
  };
  return { prompt, click };
}

export async function pairingChecks({ name, open, api, wide, screen }) {
  const home = `/d/${encodeURIComponent(name)}`;
  const { prompt, click } = computer(screen);
  const shots = process.env.SCREENSHOTS;
  const shoot = async (page, what) => shots && (await page.screenshot({ path: `${shots}/pairing-${what}.png`, fullPage: true }));

  const page = await open(home);
  const card = page.locator('.pairing');
  const pair = card.getByRole('button', { name: 'Pair', exact: true });
  const field = card.getByRole('textbox');
  await card.waitFor();

  await check('pairing: the list and the bar say it in words', async () => {
    const list = await open('/');
    await expect(list.locator('.row', { hasText: name }).first().locator('.link')).toSay('waiting: not paired');
    await shoot(list, 'list');
    await list.context().close();
    await expect(page.locator('.linkwords')).toSay('waiting: not paired');
    await expect(page.locator('.fault')).toSay(/^Waiting\s+Not paired with Focusrite Control 2/);
    const tab = await open(`${home}?tab=link`);
    await expect(tab.locator('.fault')).toSay('The panel says what to do');
    await tab.context().close();
  });

  await check('pairing: what is waited for, what is to be done, and nothing else', async () => {
    await expect(card.locator('h2')).toSay('Not paired with Focusrite Control 2');
    await pair.waitFor();
    if (await field.count()) throw new Error('a code is asked for before there is one');
    const said = await card.innerText();
    if (/pairing\/|not-paired/.test(said)) throw new Error(`it speaks of commands: ${said}`);
    const empty = await page.locator('main section').evaluateAll((all) => all.filter((s) => s.innerText.trim() === '').length);
    if (empty > 0) throw new Error('there is an empty box');
  });

  await check('pairing: asking needs the panel unlocked', async () => {
    await shaken(page, () => pair.click());
    await page.waitForTimeout(300);
    if ((await prompt()).asks) throw new Error('somebody was asked');
    await page.keyboard.press('l');
    await page.locator('.stage.unlocked').waitFor();
  });

  await check('pairing: a refusal there is said here, and it can be asked again', async () => {
    await pair.click();
    await expect(card.locator('h2')).toSay('Waiting for approval in Focusrite Control 2');
    await expect(card).toSay(/let “patchbay|let "patchbay/);
    await shoot(page, 'asking');
    if (await pair.count()) throw new Error('it could be asked twice');
    await click('deny');
    await expect(card.locator('.outcome.refusal')).toSay(/last attempt failed.*has not approved/s);
    await expect(card.locator('.hint')).toSay('ask again');
    await pair.waitFor();
    await shoot(page, 'refused');
  });

  await check('pairing: the code is entered where its help stands; a wrong one is refused in its place', async () => {
    await pair.click();
    await expect(card.locator('h2')).toSay('Waiting for approval');
    await click('approve');
    await expect(card.locator('h2')).toSay(/^Waiting for the code that Focusrite Control 2.* shows$/);
    await expect(card.locator('.help')).toSay('Hexadecimal digits');
    await card.getByRole('button', { name: 'Send' }).click();
    await expect(card).toSay('nothing is entered yet');
    await field.fill('no code');
    await field.press('Enter');
    await expect(card.locator('.action .outcome.refusal')).toSay('hexadecimal digits');
    await shoot(page, 'nocode');
    await field.fill('00ff00ff');
    await field.press('Enter');
    await expect(card.locator('.outcome.refusal')).toSay('not accepted');
    await poll(async () => (await card.locator('.outcome.refusal').count()) === 1, 'it is said twice');
    await shoot(page, 'wrongcode');
    if (await pair.count()) {
      await pair.click();
      await click('approve');
    }
    await field.waitFor();
    await shoot(page, 'code');
  });

  await check('pairing: every state holds on a phone and on a wall, in both lights', async () => {
    for (const [what, options, more] of [
      ['phone', { viewport: { width: 390, height: 800 } }, ''],
      ['narrow', { viewport: { width: 320, height: 640 } }, ''],
      ['wall', { viewport: { width: 1920, height: 1080 } }, '?wall'],
    ]) {
      const other = await open(home + more, options);
      await other.locator('.pairing h2').waitFor();
      if (!more) await other.locator('.pairing input').waitFor();
      else if (await other.locator('.pairing button, .pairing input').count()) throw new Error('a wall has something to press');
      if ((await wide(other)) > 0) throw new Error(`${what}: by ${await wide(other)} px`);
      if (!more) {
        const small = await other.locator('.pairing .cap, .pairing input').evaluateAll((all) => all.filter((b) => b.getBoundingClientRect().height < 48).length);
        if (small > 0) throw new Error(`${what}: a target below 48 px`);
      }
      await shoot(other, what);
      if (what === 'phone' && shots) {
        await other.evaluate(() => (document.documentElement.dataset.theme = 'light'));
        await shoot(other, 'phone-light');
      }
      await other.context().close();
    }
  });

  await check('pairing: with the right code the strips appear by themselves', async () => {
    const { code } = await prompt();
    await field.fill(code);
    await field.press('Enter');
    await page.locator('.audio .strip').first().waitFor();
    await card.waitFor({ state: 'detached' });
    await expect(page.locator('.linkwords')).toSay('connected');
    await shoot(page, 'paired');
    await poll(async () => (await api('/devices')).devices.find((d) => d.name === name).link.state === 'up', 'the link is not up');
  });
  await page.context().close();

  const { devices } = await api('/devices');
  if (devices.some((d) => d.name === 'shut')) {
    await check('pairing: where it is not allowed there is no button, and one line says what would allow it', async () => {
      const shut = await open('/d/shut');
      await expect(shut.locator('.pairing .readonly')).toSay('Pairing is not allowed here. The configuration key that would allow it: devices.shut.writable with pairing/*');
      if (await shut.locator('.pairing button, .lockbox').count()) throw new Error('there is something to press');
      await shoot(shut, 'shut');
      await shut.context().close();
    });
  }
}

/** forgettingChecks end a pairing from the page, and leave the device paired again. */
export async function forgettingChecks({ name, open, screen }) {
  const { prompt, click } = computer(screen);
  const page = await open(`/d/${encodeURIComponent(name)}?tab=link`);
  const card = page.locator('.paired');
  const forget = card.getByRole('button', { name: 'Forget this pairing' });
  await forget.waitFor();

  await check('pairing: what is let in can be forgotten beside the link, unlocked and after a hold', async () => {
    await expect(card.locator('h2')).toSay(/^Paired with Focusrite Control 2/);
    await shaken(page, () => forget.click());
    await page.keyboard.press('l');
    await page.locator('.stage.unlocked').waitFor();
    await forget.click();
    const sheet = page.locator('dialog[open]');
    await expect(sheet).toSay(/has to let patchbay in again/);
    await sheet.getByRole('button', { name: 'Leave as it is' }).click();
    await sheet.waitFor({ state: 'detached' });
    await expect(page.locator('.linkwords')).toSay('connected');
    await forget.click();
    await sheet.locator('.danger').focus();
    await page.keyboard.down('Enter');
    await sheet.waitFor({ state: 'detached' });
    await page.keyboard.up('Enter');
    await expect(page.locator('.linkwords')).toSay('waiting: not paired');
    await card.waitFor({ state: 'detached' });
  });

  await check('pairing: what was forgotten is paired anew on the panel, without loading the page', async () => {
    const known = (await prompt()).clients.length;
    await page.getByRole('link', { name: 'Panel', exact: true }).click();
    const steps = page.locator('.pairing');
    await expect(steps.locator('h2')).toSay('Not paired with Focusrite Control 2');
    await steps.getByRole('button', { name: 'Pair', exact: true }).click();
    await click('approve');
    await steps.getByRole('textbox').waitFor();
    await steps.getByRole('textbox').fill((await prompt()).code);
    await page.keyboard.press('Enter');
    await page.locator('.audio .strip').first().waitFor();
    await expect(page.locator('.linkwords')).toSay('connected');
    if ((await prompt()).clients.length !== known + 1) throw new Error('the computer took it for the program that it knew');
  });
  await page.context().close();
}
