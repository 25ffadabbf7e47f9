import { useEffect } from 'preact/hooks';
import { route } from './store/route.ts';
import { show } from './store/store.ts';
import { closeInspector } from './store/inspect.ts';
import { spoken } from './store/announce.ts';
import { Devices } from './views/devices.tsx';
import { DeviceView } from './views/device.tsx';
import { Faults, TopBar } from './ui/topbar.tsx';
import { Settings } from './ui/settings.tsx';
import { Sheet } from './ui/sheet.tsx';

export function App() {
  const { device, tab, wall, known } = route.value;
  useEffect(() => {
    show(device);
    document.title = device ? `${device} · patchbay` : 'patchbay';
  }, [device]);
  useEffect(closeInspector, [device, tab, wall]);
  return (
    <div class={`app ${wall ? 'wall' : ''}`}>
      {wall ? <Faults device={device} /> : <TopBar />}
      {!known ? <NotHere /> : device ? <DeviceView /> : <Devices />}
      <Sheet />
      <Settings />
      <p class="spoken" role="status" aria-live="assertive">
        {spoken.value}
      </p>
    </div>
  );
}

function NotHere() {
  return (
    <main class="empty">
      <h1>Nothing is at this address</h1>
      <p>
        <a href="/">All devices</a>
      </p>
    </main>
  );
}
