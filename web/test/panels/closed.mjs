// A panel of which nothing may be written.
import { check, expect } from '../checks.mjs';

export async function closedChecks(name, open) {
  await check('closed: what may not be written has no cap and no lock, and one line says what would allow it', async () => {
    const page = await open(`/d/${name}`);
    await page.locator('.lamp.source').first().waitFor();
    if (await page.locator('.switcher .cap, .switcher select, .switcher [role=slider], .lockbox').count()) throw new Error('there is something to press');
    await expect(page.locator('.readonly')).toSay(new RegExp(`devices\\.${name}\\.writable with \\S+/\\*\\*`));
    const before = await page.locator('.source.chosen .number').allInnerTexts();
    await page.keyboard.press('3');
    await page.keyboard.press('Space');
    await page.waitForTimeout(300);
    if ((await page.locator('.source.chosen .number').allInnerTexts()).join() !== before.join()) throw new Error('a key acted');
    await page.context().close();
  });
}
