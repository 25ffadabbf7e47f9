/* One end of Focusrite Control 2's tunnel, with nothing but libsodium, for the interop test: keys, session key, handshake, records
   and the request for approval. It reads commands on standard input and answers on standard output; a block is its length, 4
   bytes in the machine's order, and the bytes.
     K              makes a new key pair: answers the public key (32)
     S side key     begins a session with the peer of that key; side 'c' is a client, 's' a server that waits for the client's
                    first record, 'f' a server that speaks first: answers a block to be sent
     I block        bytes that came: answers 0 in the handshake, 1 after it, 2 when something was wrong and the session is over; a
                    block to be sent; a block of what the other side said
     O block        what is to be said: answers a block of records
     B key block    asks the server of that key for approval, by the name in the block: answers a block
     U key block    opens the request of the client of that key: answers 1 or 0, and the name as a block */
#include <sodium.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STATE crypto_secretstream_xchacha20poly1305_state
#define OVERHEAD crypto_secretstream_xchacha20poly1305_ABYTES
#define HEADER crypto_secretstream_xchacha20poly1305_HEADERBYTES
#define MAX_PLAIN 1283
#define NONCE 32
#define MOST (1 << 20)

static unsigned char public_key[32], secret_key[32], key[32];
static STATE push, pull;
static unsigned char header[HEADER], own[NONCE];
static int server, sent, heard, records, over;
static unsigned char in[MOST], out[MOST], plain[MOST], arg[MOST];
static size_t in_len, out_len, plain_len;

static void need(void *p, size_t n) {
  if (n > 0 && fread(p, 1, n, stdin) != n) exit(0);
}

static uint32_t block(void) {
  uint32_t n;
  need(&n, sizeof n);
  if (n > MOST / 4) exit(3);
  need(arg, n);
  return n;
}

static void answer(const void *p, uint32_t n) {
  fwrite(&n, sizeof n, 1, stdout);
  fwrite(p, 1, n, stdout);
}

static void say(const unsigned char *p, size_t n) {
  if (out_len + HEADER + 2 + n + OVERHEAD > MOST) exit(4);
  if (!sent) {
    memcpy(out + out_len, header, HEADER);
    out_len += HEADER;
    sent = 1;
  }
  out[out_len++] = (n + OVERHEAD) >> 8;
  out[out_len++] = (n + OVERHEAD) & 0xff;
  crypto_secretstream_xchacha20poly1305_push(&push, out + out_len, NULL, p, n, NULL, 0, 0);
  out_len += n + OVERHEAD;
}

/* The session key, by crypto_kx and by what crypto_kx is made of. */
static void begin(unsigned char side, const unsigned char *peer) {
  unsigned char rx[32], tx[32], shared[32], hash[64];
  crypto_generichash_state h;
  server = side != 'c';
  if (server ? crypto_kx_server_session_keys(rx, tx, public_key, secret_key, peer)
             : crypto_kx_client_session_keys(rx, tx, public_key, secret_key, peer)) exit(5);
  memcpy(key, server ? tx : rx, sizeof key);
  if (crypto_scalarmult(shared, secret_key, peer)) exit(6);
  crypto_generichash_init(&h, NULL, 0, sizeof hash);
  crypto_generichash_update(&h, shared, sizeof shared);
  crypto_generichash_update(&h, server ? peer : public_key, 32);
  crypto_generichash_update(&h, server ? public_key : peer, 32);
  crypto_generichash_final(&h, hash, sizeof hash);
  if (memcmp(hash, key, sizeof key)) exit(7);
  crypto_secretstream_xchacha20poly1305_init_push(&push, header, key);
  randombytes_buf(own, sizeof own);
  sent = heard = records = over = 0;
  in_len = 0;
  if (side != 's') say(own, sizeof own);
}

/* One record of the other side. The first is its nonce, which is sent back; the second must be ours. */
static int record(const unsigned char *p, size_t n) {
  unsigned char tag;
  unsigned char *to = plain + plain_len;
  if (plain_len + n > MOST) exit(8);
  if (n < OVERHEAD || n > MAX_PLAIN + OVERHEAD) return 0;
  if (crypto_secretstream_xchacha20poly1305_pull(&pull, to, NULL, &tag, p, n, NULL, 0) || tag != 0) return 0;
  n -= OVERHEAD;
  if (records >= 2) {
    plain_len += n;
    return 1;
  }
  if (n != NONCE) return 0;
  if (records++ == 1) return memcmp(to, own, NONCE) == 0;
  if (memcmp(to, own, NONCE) == 0) return 0;
  if (!sent) say(own, sizeof own);
  say(to, NONCE);
  return 1;
}

static void came(const unsigned char *p, size_t n) {
  size_t at = 0;
  if (in_len + n > MOST) exit(9);
  memcpy(in + in_len, p, n);
  in_len += n;
  if (!heard && in_len >= HEADER) {
    crypto_secretstream_xchacha20poly1305_init_pull(&pull, in, key);
    heard = 1;
    at = HEADER;
  }
  while (heard && !over && in_len - at >= 2) {
    size_t len = in[at] << 8 | in[at + 1];
    if (in_len - at < 2 + len) break;
    over = !record(in + at + 2, len);
    at += 2 + len;
  }
  memmove(in, in + at, in_len - at);
  in_len -= at;
}

int main(void) {
  unsigned char what, side, peer[32], nonce[crypto_box_NONCEBYTES], ok;
  uint32_t n;
  if (sodium_init() < 0) return 2;
  for (;;) {
    need(&what, 1);
    out_len = plain_len = 0;
    switch (what) {
    case 'K':
      crypto_kx_keypair(public_key, secret_key);
      fwrite(public_key, 1, sizeof public_key, stdout);
      break;
    case 'S':
      need(&side, 1);
      need(peer, sizeof peer);
      begin(side, peer);
      answer(out, out_len);
      break;
    case 'I':
      n = block();
      came(arg, n);
      ok = over ? 2 : records >= 2;
      fwrite(&ok, 1, 1, stdout);
      answer(out, out_len);
      answer(plain, plain_len);
      break;
    case 'O':
      n = block();
      for (uint32_t at = 0; at < n; at += MAX_PLAIN) say(arg + at, n - at < MAX_PLAIN ? n - at : MAX_PLAIN);
      answer(out, out_len);
      break;
    case 'B':
      need(peer, sizeof peer);
      n = block();
      randombytes_buf(nonce, sizeof nonce);
      if (crypto_box_easy(out + sizeof nonce, arg, n, nonce, peer, secret_key)) return 10;
      memcpy(out, nonce, sizeof nonce);
      answer(out, sizeof nonce + crypto_box_MACBYTES + n);
      break;
    case 'U':
      need(peer, sizeof peer);
      n = block();
      ok = n >= sizeof nonce + crypto_box_MACBYTES &&
           crypto_box_open_easy(out, arg + sizeof nonce, n - sizeof nonce, arg, peer, secret_key) == 0;
      fwrite(&ok, 1, 1, stdout);
      answer(out, ok ? n - sizeof nonce - crypto_box_MACBYTES : 0);
      break;
    default:
      return 11;
    }
    fflush(stdout);
  }
}
