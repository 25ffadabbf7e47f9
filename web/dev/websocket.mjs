// The little of a WebSocket server that the mock needs: messages of one frame.
import { createHash } from 'node:crypto';

/** accept answers the upgrade and gives a way to send, and to hear: on(message: string | Buffer) and on(null) at its end. */
export function accept(req, socket, on) {
  const key = createHash('sha1').update(`${req.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
  socket.write(`HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${key}\r\n\r\n`);
  let rest = Buffer.alloc(0);
  socket.on('data', (part) => {
    rest = Buffer.concat([rest, part]);
    for (;;) {
      if (rest.length < 6) return;
      let size = rest[1] & 127;
      let at = 2;
      if (size === 126) {
        if (rest.length < 8) return;
        size = rest.readUInt16BE(2);
        at = 4;
      }
      if (rest.length < at + 4 + size) return;
      const mask = rest.subarray(at, at + 4);
      const body = Buffer.from(rest.subarray(at + 4, at + 4 + size).map((b, i) => b ^ mask[i % 4]));
      const code = rest[0] & 15;
      rest = rest.subarray(at + 4 + size);
      if (code === 8) socket.end();
      else if (code === 1) on(body.toString());
      else if (code === 2) on(body);
    }
  });
  socket.on('close', () => on(null));
  socket.on('error', () => {});
  const send = (code, body) => {
    const head = body.length < 126 ? Buffer.from([0x80 | code, body.length]) : Buffer.from([0x80 | code, 126, body.length >> 8, body.length & 255]);
    if (!socket.destroyed) socket.write(Buffer.concat([head, body]));
  };
  return {
    send: (message) => send(typeof message === 'string' ? 1 : 2, Buffer.from(message)),
    close: (reason) => {
      send(8, Buffer.concat([Buffer.from([0x03, 0xe8]), Buffer.from(reason)]));
      socket.end();
    },
  };
}
