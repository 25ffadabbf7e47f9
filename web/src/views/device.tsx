import { useLayoutEffect } from 'preact/hooks';
import { gateway } from '../api/events.ts';
import { devices, shelf } from '../store/store.ts';
import { isUnlocked } from '../store/lock.ts';
import { linkOf, rolesOf } from '../store/find.ts';
import { route } from '../store/route.ts';
import { inspected } from '../store/inspect.ts';
import { Mark } from '../ui/mark.tsx';
import { Inspector } from '../ui/inspector.tsx';
import { Pairing } from '../ui/pairing.tsx';
import { Tabs } from '../ui/tabs.tsx';
import { CncPanel } from '../panels/cnc/index.tsx';
import { GenericPanel } from '../panels/generic.tsx';
import { AudioPanel } from '../panels/audio/index.tsx';
import { SerialPanel } from '../panels/serial/index.tsx';
import { SwitcherPanel } from '../panels/switcher/index.tsx';
import { panelOf } from '../store/find.ts';
import { field } from '../store/settings.ts';
import { isOfClients } from '../model/clients.ts';
import { isPairing } from '../model/pairing.ts';
import { Clients } from './clients.tsx';
import { LinkView } from './link.tsx';
import { Log } from './log.tsx';
import { Points } from './points.tsx';

/** DeviceView is one device: its panel or one of the tabs beside it, with the details of a point to the right. */
export function DeviceView() {
  const { device, tab, wall } = route.value;
  const s = shelf(device);
  const kind = panelOf(device);
  useLayoutEffect(() => {
    field.value = kind;
    return () => void (field.value = '');
  }, [kind]);
  if (!s) return <Missing device={device} />;
  const lost = gateway.value.state === 'lost';
  return (
    <>
      {!wall && <Tabs />}
      <div class={`stage ${isUnlocked(device) && !wall ? 'unlocked' : ''} ${lost ? 'lost' : ''} ${inspected.value ? 'split' : ''}`}>
        <main id="main">
          <View device={device} tab={tab} />
        </main>
        {!wall && <Inspector />}
      </div>
    </>
  );
}

function View({ device, tab }: { device: string; tab: string }) {
  switch (tab) {
    case 'points':
      return <Points device={device} />;
    case 'clients':
      return <Clients device={device} />;
    case 'link':
      return <LinkView device={device} />;
    case 'log':
      return <Log device={device} />;
  }
  return (
    <>
      <Pairing device={device} />
      <Panel device={device} />
    </>
  );
}

function Panel({ device }: { device: string }) {
  const own = rolesOf(device).all.filter((e) => !e.path.startsWith('_link/') && !isOfClients(e.path));
  if (own.every((e) => isPairing(e.path))) return <Unheard device={device} letIn={own.length > 0} />;
  switch (panelOf(device)) {
    case 'cnc':
      return <CncPanel device={device} />;
    case 'switcher':
      return <SwitcherPanel device={device} />;
    case 'serial':
      return <SerialPanel device={device} />;
    case 'audio':
      return <AudioPanel device={device} />;
  }
  return <GenericPanel device={device} />;
}

/** Unheard stands for the panel of a device that has never told its points. */
function Unheard({ device, letIn }: { device: string; letIn: boolean }) {
  const about = devices.value?.find((d) => d.name === device);
  const link = linkOf(device);
  if (link.state === 'waiting') return null; // what it waits for is all there is to see
  if (letIn) {
    return (
      <section class="empty" aria-label="Panel">
        <h2>Connecting again</h2>
        <p>The connection for pairing has ended. The panel appears by itself as soon as the device answers.</p>
        {link.error && <p>Came back: {link.error}</p>}
      </section>
    );
  }
  return (
    <section class="empty" aria-label="Panel">
      <p class="plate big lost">
        <Mark kind="lost" />
        No link
      </p>
      <h2>Nothing has been heard from {device} yet</h2>
      <p>
        Tried: <code>{about?.url}</code>
      </p>
      {link.error && <p>Came back: {link.error}</p>}
      {link.hint && <p>To check: {link.hint}</p>}
      <p>The panel appears by itself as soon as the device answers.</p>
    </section>
  );
}

function Missing({ device }: { device: string }) {
  const known = devices.value;
  if (known === null || known.some((d) => d.name === device)) {
    return <p class="quiet pad">{gateway.value.state === 'lost' ? 'The gateway does not answer.' : `Asking the gateway for ${device}…`}</p>;
  }
  return (
    <main class="empty">
      <h1>No device called {device}</h1>
      <p>
        The gateway has: {known.map((d) => d.name).join(', ') || 'no devices'}. See <a href="/">all devices</a>.
      </p>
    </main>
  );
}
