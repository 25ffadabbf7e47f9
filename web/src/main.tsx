import { render } from 'preact';
import '@preact/signals';
import { App } from './app.tsx';
import { startClock } from './store/clock.ts';
import { startLock } from './store/lock.ts';
import { startRouting } from './store/route.ts';
import { applySettings } from './store/settings.ts';
import { startWriting } from './store/writing.ts';
import { startKeys } from './ui/keys.ts';
import './style/base.css';
import './style/frame.css';
import './style/details.css';
import './style/readings.css';
import './style/cnc.css';
import './style/wall.css';
import './style/lists.css';

applySettings();
startClock();
startRouting();
startLock();
startWriting();
startKeys();

const home = document.getElementById('page');
if (home) render(<App />, home);
