import { me } from '../store/session.ts';

/** Insecure keeps saying that others on the network reach this gateway unhindered. It cannot be put away. */
export function Insecure() {
  const why = me.value?.insecure ? me.value.insecure_why || 'no TLS' : '';
  if (!why) return null;
  const users = !why.includes('users');
  return (
    <p class="insecure" role="note">
      <strong>Insecure: {why}.</strong>{' '}
      {users
        ? 'Others on the network can read passwords and values on their way. '
        : 'Everybody on the network can drive the equipment without signing in. '}
      <span class="quiet">Set by insecure: true in the configuration.</span>
    </p>
  );
}
