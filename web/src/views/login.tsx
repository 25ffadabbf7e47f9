import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { Refusal } from '../api/client.ts';
import { now } from '../store/clock.ts';
import { ended, signIn } from '../store/session.ts';
import { route } from '../store/route.ts';

interface Wrong {
  text: string;
  hint: string;
  until: number; // page time before which another attempt is refused
}

const loopback = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/;

/** Login asks who is there. The address stays as it is, so that what one wanted to open comes next. */
export function Login() {
  const [user, setUser] = useState(ended.peek());
  const [password, setPassword] = useState('');
  const [busy, setBusy] = useState(false);
  const [wrong, setWrong] = useState<Wrong | null>(null);
  const first = useRef<HTMLInputElement>(null);
  const second = useRef<HTMLInputElement>(null);
  useLayoutEffect(() => (user ? second : first).current?.focus(), []);

  const wait = Math.max(0, Math.ceil(((wrong?.until ?? 0) - now.value) / 1000));
  const submit = async (event: Event) => {
    event.preventDefault();
    if (busy || wait > 0) return;
    if (!user || !password) {
      setWrong({ text: user ? 'The password is missing.' : 'The user name is missing.', hint: '', until: 0 });
      (user ? second : first).current?.focus();
      return;
    }
    setBusy(true);
    try {
      await signIn(user, password);
    } catch (e) {
      const r = e instanceof Refusal ? e : new Refusal({ detail: String(e) });
      setWrong(explain(r));
      setPassword('');
      setBusy(false);
      second.current?.focus();
    }
  };

  const { device, wall, place } = route.value;
  return (
    <main class="login">
      <form onSubmit={submit} noValidate aria-labelledby="login-title">
        <svg class="emblem" viewBox="0 0 32 32" aria-hidden="true">
          <g fill="none" stroke="currentColor" stroke-width="2.500">
            <circle cx="8" cy="8" r="4" />
            <circle cx="24" cy="24" r="4" />
            <path d="M8 12v5c0 4 3 7 7 7h5" />
          </g>
        </svg>
        <h1 id="login-title">Sign in to patchbay</h1>
        {ended.value && <p>The session of {ended.value} has ended. Sign in to go on where it stopped.</p>}
        {!ended.value && device && (
          <p class="quiet">
            Next: {device}
            {wall ? ', wall screen' : ''}
          </p>
        )}
        {!ended.value && place === 'log' && <p class="quiet">Next: log of the gateway</p>}
        <label>
          User
          <input
            ref={first}
            name="user"
            autocomplete="username"
            autocapitalize="none"
            spellcheck={false}
            value={user}
            onInput={(event) => setUser(event.currentTarget.value)}
          />
        </label>
        <label>
          Password
          <input
            ref={second}
            name="password"
            type="password"
            autocomplete="current-password"
            value={password}
            aria-describedby="login-wrong"
            onInput={(event) => setPassword(event.currentTarget.value)}
          />
        </label>
        <div id="login-wrong" role="alert">
          {wrong && (
            <div class="outcome refusal">
              {wrong.text}
              {wrong.hint && <p class="hint">{wrong.hint}</p>}
            </div>
          )}
        </div>
        <button type="submit" class="cap" disabled={busy || wait > 0}>
          {busy ? 'Checking…' : wait > 0 ? `Again in ${wait} s` : 'Sign in'}
        </button>
        {location.protocol === 'http:' && !loopback.test(location.hostname) && (
          <p class="insecure">
            <strong>Not encrypted.</strong> Others on the network can read this password on its way.
          </p>
        )}
      </form>
    </main>
  );
}

function explain(r: Refusal): Wrong {
  const until = r.retryAfter > 0 ? Date.now() + r.retryAfter * 1000 : 0;
  if (r.code === 'gateway-lost') return { text: 'No answer from the gateway.', hint: 'Does patchbay run, and is the network there? Then try again.', until };
  if (r.status === 429) return { text: 'Too many failed attempts from here.', hint: 'The form opens again by itself. Other addresses are not concerned.', until };
  if (r.code === 'bad-login') {
    return { text: 'The user name or the password is wrong.', hint: 'Capital letters count. Who runs this gateway can set a new password: patchbay user add.', until };
  }
  return { text: r.message, hint: r.hint, until };
}
