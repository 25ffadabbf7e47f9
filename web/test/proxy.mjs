// A piece of network between the browser and the gateway, that can be taken away.
import { createServer, connect } from 'node:net';

/** proxy passes bytes on to an address; silence holds them all back without ending a connection, as a lost radio link does. */
export async function proxy(to) {
  const { hostname, port } = new URL(to);
  const sockets = new Set();
  let silent = false;
  const server = createServer((near) => {
    const far = connect(Number(port), hostname);
    for (const s of [near, far]) {
      sockets.add(s);
      s.on('close', () => {
        sockets.delete(s);
        near.destroy();
        far.destroy();
      });
      s.on('error', () => {});
      if (silent) s.pause();
    }
    near.on('data', (part) => far.write(part));
    far.on('data', (part) => near.write(part));
    if (silent) near.pause();
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    address: `http://127.0.0.1:${server.address().port}/`,
    silence: () => {
      silent = true;
      for (const s of sockets) s.pause();
    },
    speak: () => {
      silent = false;
      for (const s of sockets) s.resume();
    },
    close: () => {
      for (const s of sockets) s.destroy();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}
