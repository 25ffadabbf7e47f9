import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { signal } from '@preact/signals';
import { now, pageTime } from '../store/clock.ts';
import { me, signOut } from '../store/session.ts';
import { stamp } from '../model/format.ts';

const open = signal(false);

/** User is who is signed in; pressing it shows what that allows, and signs out. Nothing where nobody needs to sign in. */
export function User() {
  const who = me.value;
  if (!who?.user) return null;
  return (
    <button type="button" class="user" aria-haspopup="dialog" aria-label={`Signed in as ${who.user}, ${who.role}`} onClick={() => (open.value = true)}>
      <svg viewBox="0 0 20 20" aria-hidden="true">
        <circle cx="10" cy="6.500" r="3.500" fill="none" stroke="currentColor" stroke-width="2" />
        <path d="M3 17.500c0-4 3-5.500 7-5.500s7 1.500 7 5.500" fill="none" stroke="currentColor" stroke-width="2" />
      </svg>
      <span class="username">{who.user}</span>
      <span class="quiet userrole">{who.role}</span>
    </button>
  );
}

const may: Record<string, string> = {
  viewer: 'May look at everything and change nothing.',
  operator: 'May write what the devices allow.',
  admin: 'May write what the devices allow, read the log of the gateway and reload its configuration.',
};

/** Account says what the signed-in user may do, and ends the session. */
export function Account() {
  const box = useRef<HTMLDialogElement>(null);
  const [wrong, setWrong] = useState('');
  const shown = open.value;
  useLayoutEffect(() => {
    if (shown && !box.current?.open) box.current?.showModal();
  }, [shown]);
  const who = me.value;
  if (!shown || !who?.user) return null;
  const close = () => {
    box.current?.close();
    open.value = false;
    setWrong('');
  };
  const leave = async () => {
    try {
      await signOut();
      open.value = false;
    } catch (e) {
      setWrong(`Still signed in: ${e instanceof Error ? e.message : String(e)}.`);
    }
  };
  const until = pageTime(who.expires);
  return (
    <dialog ref={box} class="sheet" aria-labelledby="account-title" onClose={close} onCancel={close}>
      <h2 id="account-title">
        {who.user}, {who.role}
      </h2>
      <p>{may[who.role ?? ''] ?? ''}</p>
      {who.role === 'operator' && who.writable && (
        <p>
          Of that only:{' '}
          {who.writable.length === 0
            ? 'nothing'
            : who.writable.map((pattern) => (
                <code class="pattern" key={pattern}>
                  {pattern}
                </code>
              ))}
        </p>
      )}
      {until > 0 && <p class="quiet">This session ends at the latest on {stamp(until, now.value)}.</p>}
      {wrong && <p class="refusal">{wrong}</p>}
      <div class="actions">
        <button type="button" class="cap" onClick={close}>
          Close
        </button>
        <button type="button" class="cap" onClick={() => void leave()}>
          Sign out
        </button>
      </div>
    </dialog>
  );
}
