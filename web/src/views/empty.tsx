import { CopyLine } from '../ui/copy.tsx';
import { configurationOf } from '../model/lines.ts';
import { admin } from '../store/session.ts';
import { Finder } from './finder.tsx';

/** Empty is the list without devices: how to get the first one. */
export function Empty() {
  return (
    <main class="empty">
      <h1>No devices yet</h1>
      <p>patchbay is running, but its configuration names no device.{admin.value && ' What is the address of the first one?'}</p>
      {admin.value && <Finder />}
      <h2>By hand</h2>
      <p>Put the device’s own address into these lines of the configuration file:</p>
      <CopyLine door="the configuration" line={configurationOf('focas://192.0.2.21')} />
      <p>Check the file, then start the gateway with it:</p>
      <CopyLine door="check" line="patchbay check patchbay.yaml" />
      <CopyLine door="run" line="patchbay run patchbay.yaml" />
      <p>Without a file, for a first look at one machine, or at a simulated one:</p>
      <CopyLine door="one device" line="patchbay run focas://192.0.2.21" />
      <CopyLine door="demo" line="patchbay demo" />
    </main>
  );
}
