// The little that the browser test needs of a test runner.
import { mkdirSync } from 'node:fs';

let passed = 0;
let failed = 0;
let shown = null;

/** step names the page of which a failing check takes a picture. */
export const step = (page) => (shown = page);

/** check runs one named check and goes on after a failure. */
export async function check(name, run) {
  const start = Date.now();
  try {
    await run();
    passed++;
    console.log(`ok    ${name} (${Date.now() - start} ms)`);
  } catch (e) {
    failed++;
    console.log(`FAIL  ${name}\n      ${String(e?.message ?? e).split('\n').slice(0, 6).join('\n      ')}`);
    const folder = process.env.SCREENSHOTS;
    if (folder && shown) {
      mkdirSync(folder, { recursive: true });
      await shown.screenshot({ path: `${folder}/failure-${failed}.png` }).catch(() => {});
    }
  }
}

/** patience is how long anything may take: a limit for what never comes, and nothing that is to be kept. */
export const patience = 30_000;

/** poll repeats until the question is answered with yes. */
export async function poll(question, complaint, ms = patience) {
  const end = Date.now() + ms;
  while (!(await question())) {
    if (Date.now() > end) throw new Error(complaint);
    await new Promise((r) => setTimeout(r, 50));
  }
}

/** expect waits for what an element says or carries. */
export function expect(locator) {
  const like = (text, want) => (want instanceof RegExp ? want.test(text) : text.includes(want));
  return {
    toSay: async (want, ms) => {
      let text = '';
      await poll(async () => {
        text = (await locator.count()) ? await locator.first().innerText() : 'nothing there';
        return like(text, want);
      }, '', ms).catch(() => {
        throw new Error(`wanted ${want}, got: ${text.slice(0, 300)}`);
      });
    },
    toHave: async (name, want) => poll(async () => (await locator.getAttribute(name)) === want, `${name} is not ${want}`),
  };
}

/**
 * meanwhile does something, and waits until the page has shown what the selector means, with the text where one is given. The page itself looks,
 * at each of its changes: what is there for a moment only is gone before a busy computer asks for it from here.
 */
export async function meanwhile(page, selector, act, text = '') {
  await page.locator(selector).filter({ hasText: text }).first().waitFor({ state: 'detached' });
  const seen = await page.evaluateHandle(([selector, text]) => {
    const seen = { yes: false };
    const look = new MutationObserver(() => {
      seen.yes ||= [...document.querySelectorAll(selector)].some((e) => e.textContent.includes(text));
      if (seen.yes) look.disconnect();
    });
    look.observe(document, { subtree: true, childList: true, attributes: true, characterData: true });
    return seen;
  }, [selector, text]);
  await act();
  await poll(() => seen.evaluate((s) => s.yes), `${selector} ${text} was never there`);
}

/** shaken does what a locked panel refuses, and waits for the lock to say so. */
export const shaken = (page, act) => meanwhile(page, '.lockbox.shake', act);

/** finish prints the closing line and sets the exit code. */
export function finish() {
  console.log(`${passed} passed, ${failed} failed`);
  process.exit(failed > 0 || passed === 0 ? 1 : 0);
}
