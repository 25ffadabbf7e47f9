import { useEffect, useLayoutEffect } from 'preact/hooks';
import { route } from './store/route.ts';
import { show } from './store/store.ts';
import { closeInspector } from './store/inspect.ts';
import { spoken } from './store/announce.ts';
import { entered, stranger, unanswered } from './store/session.ts';
import { Audit } from './views/audit.tsx';
import { TallyView } from './views/tally.tsx';
import { Devices } from './views/devices.tsx';
import { DeviceView } from './views/device.tsx';
import { Login } from './views/login.tsx';
import { Account } from './ui/account.tsx';
import { Insecure } from './ui/insecure.tsx';
import { Faults, TopBar } from './ui/topbar.tsx';
import { Settings } from './ui/settings.tsx';
import { Sheet } from './ui/sheet.tsx';

/** App is the page, or the form to sign in. What a session has left open stays behind the form, unseen, until it goes on. */
export function App() {
  return (
    <>
      {entered.value && <Page hidden={stranger.value} />}
      {stranger.value && <Login />}
      {!entered.value && !stranger.value && <p class="quiet pad">{unanswered.value ? 'The gateway does not answer.' : 'Asking the gateway…'}</p>}
      <p class="spoken" role="status" aria-live="assertive">
        {spoken.value}
      </p>
    </>
  );
}

function Page({ hidden }: { hidden: boolean }) {
  const { device, tab, wall, place, input } = route.value;
  useEffect(() => {
    show(device, place === 'tally');
    document.title = [place === 'tally' && `Tally ${input}`, device, 'patchbay'].filter(Boolean).join(' · ');
  }, [device, place, input]);
  useLayoutEffect(closeInspector, [device, tab, wall]);
  return (
    <div class={`app ${wall ? 'wall' : ''}`} hidden={hidden} inert={hidden}>
      {place === 'tally' ? null : wall ? (
        <>
          <Faults device={device} />
          <Insecure />
        </>
      ) : (
        <TopBar />
      )}
      <Place name={place} />
      {!hidden && <Sheet />}
      {!hidden && <Settings />}
      {!hidden && <Account />}
    </div>
  );
}

function Place({ name }: { name: string }) {
  switch (name) {
    case 'device':
      return <DeviceView />;
    case 'devices':
      return <Devices />;
    case 'log':
      return <Audit />;
    case 'tally':
      return <TallyView />;
  }
  return (
    <main class="empty">
      <h1>Nothing is at this address</h1>
      <p>
        <a href="/">All devices</a>
      </p>
    </main>
  );
}
