import { signal } from '@preact/signals';

/** What the Points tab looks for. It stays while tabs are changed. */
export const search = signal('');
export const onlyBad = signal(false);
