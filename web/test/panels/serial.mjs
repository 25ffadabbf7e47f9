// The panel of serial ports: looking, taking, typing, and what stands between the bytes.
import { check, expect, poll, shaken } from '../checks.mjs';

export async function serialChecks({ name, specs, open, api, valueOf, wide, network, complaints }) {
  const home = `/d/${encodeURIComponent(name)}`;
  const ports = specs.filter((s) => s.role === 'serial.state').map((s) => s.path.replace(/\/state$/, ''));
  const point = (port, role) => specs.find((s) => s.role === role && s.path.startsWith(`${port}/`));
  const states = new Map(await Promise.all(ports.map(async (p) => [p, String(await valueOf(name, `${p}/state`))])));
  const free = ports.find((p) => states.get(p) === 'closed') ?? ports[0];
  const number = free.split('/').at(-1);
  const page = await open('/');
  // What leaves the page for the port, in the order of its leaving: the counters of the port come later.
  let sent = '';
  page.on('websocket', (s) => s.on('framesent', ({ payload }) => typeof payload !== 'string' && (sent += payload.toString('latin1'))));
  await page.goto(new URL(`${home}?port=${number}`, page.url()).href);
  const screen = page.locator('.screen');
  const text = () => page.locator('.xterm-rows').innerText();
  await page.locator('.xterm-rows').waitFor();
  const take = page.getByRole('button', { name: /^Take the port/ });

  await check('serial: all ports stand as rows, and a row opens its port', async () => {
    if (ports.length > 1) {
      await poll(async () => (await page.locator('.portrow').count()) === ports.length, 'not as many rows as ports');
      const other = ports.find((p) => p !== free).split('/').at(-1);
      await page.locator('.portrow').filter({ has: page.locator('strong', { hasText: new RegExp(`^${other}$`) }) }).click();
      await expect(page.locator('.porthead h2')).toSay(`Port ${other}`);
      await page.goBack();
    }
    await expect(page.locator('.porthead h2')).toSay(`Port ${number}`);
    await expect(page.locator('.porthead')).toSay(String(await valueOf(name, point(free, 'serial.baud').path)));
  });

  await check('serial: lamps say on and off by shape, and outputs are buttons', async () => {
    const cts = point(free, 'serial.cts');
    const lamp = page.locator('.linein', { hasText: 'CTS' });
    // A port that is closed says nothing of its lines, and the lamp then neither.
    const told = await api(`/devices/${name}/value?path=${cts.path}`);
    await expect(lamp).toSay(told.quality === 'bad' ? 'not known' : told.value ? 'on' : 'off');
    const dtr = point(free, 'serial.dtr');
    if (dtr?.writable && !(await page.getByRole('button', { name: /^DTR/ }).count())) throw new Error('DTR is no button');
  });

  await check('serial: looking opens nothing and touches no line', async () => {
    const lines = ['serial.dtr', 'serial.rts', 'serial.state'].map((role) => point(free, role)).filter(Boolean);
    await expect(page.locator('.holding')).toSay(/Looking/);
    await page.waitForTimeout(800);
    for (const s of lines) {
      const before = s.role === 'serial.state' ? states.get(free) : undefined;
      const now = String(await valueOf(name, s.path));
      if (before !== undefined && now !== before) throw new Error(`${s.path} is ${now}`);
    }
  });

  await check('serial: typing while only looking sends nothing, and says so', async () => {
    await screen.click();
    await page.keyboard.type('l1');
    await expect(page.locator('.termnote')).toSay(/Only looking/);
    await expect(page.locator('.lock')).toSay('Locked');
  });

  await check('serial: a locked panel does not take the port', async () => {
    await shaken(page, () => take.click());
    await expect(page.locator('.holding')).toSay(/Looking/);
  });

  await check('serial: the port is taken, what is typed is sent, and is kept from the keys of the page', async () => {
    await page.locator('h2').first().click();
    await page.keyboard.press('l');
    await page.locator('.stage.unlocked').waitFor();
    await take.click();
    await expect(page.locator('.holding')).toSay(/You have the port/);
    await page.getByLabel('local echo').check();
    await screen.click();
    const before = Number(await valueOf(name, point(free, 'serial.bytes-out').path));
    await page.keyboard.type('hello l2', { delay: 60 });
    await page.keyboard.press('Enter');
    await poll(async () => /h+e+l+o+\s+l+2+/.test(await text()), 'no echo'); // letters are double where the far end echoes too
    await poll(async () => Number(await valueOf(name, point(free, 'serial.bytes-out').path)) >= before + 9, 'the port counts no bytes');
    await expect(page.locator('.lock')).toSay('Unlocked');
    await expect(page.locator('.porthead h2')).toSay(`Port ${number}`);
  });

  await check('serial: hex and text beside it', async () => {
    await page.getByRole('button', { name: 'Both', exact: true }).click();
    // A row is gone on with until an answer comes between: how many bytes stand in one is the pace of the far end.
    const typed = async () => [...(await text()).replaceAll('\u00a0', ' ').matchAll(/^> ((?:[0-9a-f]{2} ?)+)/gm)].map((m) => m[1].trim()).join(' ');
    await poll(async () => (await typed()).includes('68 65 6c 6c 6f 20 6c 32 0d'), 'not in hex');
    await page.getByRole('button', { name: 'Text', exact: true }).click();
    await poll(async () => !/[<>] [0-9a-f]{2}/.test((await text()).replaceAll('\u00a0', ' ')), 'still in hex');
  });

  await check('serial: pause holds back and loses nothing', async () => {
    await page.getByRole('button', { name: 'Pause' }).click();
    await screen.click();
    await page.keyboard.type('held');
    await expect(page.getByRole('button', { name: /^Go on/ })).toSay(/[1-9]\d* bytes wait/);
    if ((await text()).includes('held')) throw new Error('shown while paused');
    await page.getByRole('button', { name: /^Go on/ }).click();
    await poll(async () => /h+e+l+d+|held/.test(await text()), 'lost');
  });

  await check('serial: pasting several lines asks first', async () => {
    await page.evaluate(() => {
      const data = new DataTransfer();
      data.setData('text', 'first line\nsecond line\n');
      document.querySelector('.xterm-helper-textarea').dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true }));
    });
    const sheet = page.locator('dialog[open]');
    await expect(sheet).toSay(/Send 2 lines\?[^]*second line/);
    if (sent.includes('first')) throw new Error('sent before it was asked');
    await sheet.getByRole('combobox').selectOption('50');
    await sheet.getByRole('button', { name: 'Send', exact: true }).click();
    await poll(async () => (await sheet.count()) === 0, 'the sheet stays');
    await poll(async () => (await text()).includes('second line'), 'not shown');
    if (!sent.endsWith('first line\rsecond line\r')) throw new Error(`sent: ${JSON.stringify(sent.slice(-40))}`);
  });

  await check('serial: find marks, and says when there is nothing', async () => {
    await page.getByRole('searchbox', { name: 'Find in the terminal' }).fill('second');
    await page.keyboard.press('Enter');
    await page.waitForTimeout(200);
    if (await page.locator('.seek', { hasText: 'not found' }).count()) throw new Error('not found');
    await page.getByRole('searchbox', { name: 'Find in the terminal' }).fill('nowhere at all');
    await page.keyboard.press('Enter');
    await expect(page.locator('.seek')).toSay('not found');
  });

  await check('serial: a long line is asked about as well, and a short one is not', async () => {
    const paste = (line) =>
      page.evaluate((line) => {
        const data = new DataTransfer();
        data.setData('text', line);
        document.querySelector('.xterm-helper-textarea').dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true }));
      }, line);
    await paste('y'.repeat(1001));
    const sheet = page.locator('dialog[open]');
    await expect(sheet).toSay(/Send this line, 1,001 characters\?/);
    await sheet.getByRole('button', { name: 'Do not send' }).click();
    await sheet.waitFor({ state: 'detached' });
    await paste('short');
    await page.waitForTimeout(200);
    if (await sheet.count()) throw new Error('a short line asks');
  });

  await check('serial: a break is sent, and said in its place', async () => {
    await page.getByRole('button', { name: 'Send break' }).click();
    await poll(async () => (await text()).replaceAll('\u00a0', ' ').includes('break of 250 ms sent'), 'it is not said');
  });

  await check('serial: a locked panel keeps the port and says that nothing is sent', async () => {
    await page.locator('.lock.open').click();
    await expect(page.locator('.holding')).toSay(/You have the port.*Locked: what you type is not sent/s);
    await screen.click();
    await shaken(page, () => page.keyboard.type('zzz'));
    if ((await text()).includes('z')) throw new Error('it was sent');
    await page.locator('h2').first().click();
    await page.keyboard.press('l');
    await page.locator('.stage.unlocked').waitFor();
  });

  await check('serial: a second tab sees who has the port and takes it; the first goes on looking, and takes nothing back', async () => {
    const other = await open(`${home}?port=${number}`);
    await expect(other.getByRole('button', { name: /^Take the port/ })).toSay(/loses it/);
    await expect(page.locator('.terminal')).toSay('Somebody else looks at this port');
    await other.keyboard.press('l');
    await other.locator('.stage.unlocked').waitFor();
    await other.getByRole('button', { name: /^Take the port/ }).click();
    await expect(other.locator('.holding')).toSay(/You have the port/);
    await expect(page.locator('.holding')).toSay(/Looking/);
    await poll(async () => (await text()).replaceAll('\u00a0', ' ').includes('no longer the owner of the port'), 'the loss is not said');
    await page.waitForTimeout(1000);
    await expect(page.locator('.holding')).toSay(/Looking/);
    await expect(page.getByRole('button', { name: /^Take the port/ })).toSay(/loses it/);
    await other.context().close();
    await expect(page.getByRole('button', { name: /^Take the port$/ })).toSay('Take the port');
    await page.getByRole('button', { name: /^Take the port/ }).click();
    await expect(page.locator('.holding')).toSay(/You have the port/);
  });

  await check('serial: a log is saved as a file, with directions', async () => {
    await page.getByRole('button', { name: 'Log to file' }).click();
    await screen.click();
    await page.keyboard.type('logged');
    await poll(async () => /l+o+g+e+d+|logged/.test(await text()), 'no echo');
    const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: /^Save the log/ }).click()]);
    const stream = await download.createReadStream();
    let file = '';
    for await (const part of stream) file += part;
    if (!/> l\n/.test(file)) throw new Error(file.slice(0, 300));
  });

  await check('serial: the port is given back', async () => {
    await page.getByRole('button', { name: 'Give it back' }).click();
    await expect(page.locator('.holding')).toSay(/Looking/);
    if (states.get(free) === 'closed') await poll(async () => (await valueOf(name, `${free}/state`)) !== 'open', 'the port stays open');
  });

  await check('serial: what is typed while the gateway is lost is not sent, then or later', async () => {
    const late = await open('/');
    let left = '';
    late.on('websocket', (s) => s.on('framesent', ({ payload }) => typeof payload !== 'string' && (left += payload.toString('latin1'))));
    await late.goto(new URL(`${home}?port=${number}`, late.url()).href);
    await late.locator('.xterm-rows').waitFor();
    await late.locator('.lockbox').waitFor();
    await late.keyboard.press('l');
    await late.locator('.stage.unlocked').waitFor();
    await late.getByRole('button', { name: /^Take the port/ }).click();
    await expect(late.locator('.holding')).toSay('What you type is sent');
    await late.locator('.screen').click();
    await late.keyboard.type('a');
    await poll(() => left === 'a', 'what is typed in time does not leave the page');
    network.silence();
    try {
      await expect(late.locator('.holding')).toSay('No contact with the gateway');
      await late.locator('.screen').click();
      await late.keyboard.type('b');
      await expect(late.locator('.termnote')).toSay('Not sent: the page has no contact with the gateway');
    } finally {
      network.speak(); // for the checks after this one
    }
    await late.locator('.fault').waitFor({ state: 'detached' });
    await late.locator('.termnote').waitFor({ state: 'detached' });
    if (left !== 'a') throw new Error(`sent: ${left}`);
    await late.context().close();
    complaints.length = 0; // the browser reports the requests that were lost
  });

  await check('serial: the terminal is no trap for the keyboard', async () => {
    await screen.click();
    await page.keyboard.press('Shift+Tab');
    if (await page.evaluate(() => document.activeElement.closest('.screen') !== null)) throw new Error('Shift and Tab stay inside');
  });

  await check('serial: narrow and wall screens hold it', async () => {
    for (const [width, height, more] of [[320, 640, `?port=${number}`], [768, 1024, ''], [1920, 1080, '?wall']]) {
      const other = await open(home + more, { viewport: { width, height } });
      await other.locator('.portrow, .porthead').first().waitFor();
      if ((await wide(other)) > 0) throw new Error(`${width} px${more}: by ${await wide(other)} px`);
      await other.context().close();
    }
  });

  await check('serial: the list says how many ports are open', async () => {
    const list = await open('/');
    await expect(list.locator('.row', { hasText: name }).first().locator('.headline')).toSay(/\d+ of \d+ open/);
    await list.context().close();
  });
  await page.context().close();
}
