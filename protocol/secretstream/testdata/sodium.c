/* libsodium as the other side of the interop test. It reads commands on standard input and answers on standard output; lengths are
   4 bytes in the machine's order. First come the key (32) and our header (24); its own header (24) is the first answer.
     P tag ad m    push: answers the encrypted message
     D ad c        pull: answers 1, the tag and the message; 0 when it does not authenticate
     R             rekey both directions
     B n           push n bytes, 20 times at a stretch, for a twentieth of a second: answers nanoseconds per message in the quickest
                   stretch as a double
     C n           the same with pull */
#include <sodium.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define STATE crypto_secretstream_xchacha20poly1305_state
#define OVERHEAD crypto_secretstream_xchacha20poly1305_ABYTES
#define MOST (1 << 20)

static void need(void *p, size_t n) {
  if (n > 0 && fread(p, 1, n, stdin) != n) exit(0);
}

static uint32_t block(unsigned char *p) {
  uint32_t n;
  need(&n, sizeof n);
  if (n > MOST) exit(3);
  need(p, n);
  return n;
}

static void answer(const void *p, uint32_t n) {
  fwrite(&n, sizeof n, 1, stdout);
  fwrite(p, 1, n, stdout);
}

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1e9 + t.tv_nsec;
}

int main(void) {
  static unsigned char key[32], header[24], own[24], ad[MOST], in[MOST + OVERHEAD], out[MOST + OVERHEAD], tag;
  STATE push, pull;
  if (sodium_init() < 0) return 2;
  need(key, sizeof key);
  need(header, sizeof header);
  crypto_secretstream_xchacha20poly1305_init_push(&push, own, key);
  crypto_secretstream_xchacha20poly1305_init_pull(&pull, header, key);
  fwrite(own, 1, sizeof own, stdout);
  fflush(stdout);
  for (;;) {
    unsigned char what;
    uint32_t adlen, n;
    need(&what, 1);
    if (what == 'R') {
      crypto_secretstream_xchacha20poly1305_rekey(&push);
      crypto_secretstream_xchacha20poly1305_rekey(&pull);
      continue;
    }
    if (what == 'B' || what == 'C') {
      STATE s, t;
      need(&n, sizeof n);
      if (n > MOST) return 3;
      crypto_secretstream_xchacha20poly1305_init_push(&s, own, key);
      crypto_secretstream_xchacha20poly1305_init_pull(&t, own, key);
      crypto_secretstream_xchacha20poly1305_push(&s, out, NULL, in, n, NULL, 0, 0);
      double start = now(), before = start, after, best = 1e18;
      do {
        for (int i = 0; i < 20; i++) {
          if (what == 'B') {
            crypto_secretstream_xchacha20poly1305_push(&s, out, NULL, in, n, NULL, 0, 0);
          } else {
            STATE u = t;
            if (crypto_secretstream_xchacha20poly1305_pull(&u, in, NULL, &tag, out, n + OVERHEAD, NULL, 0)) return 4;
          }
        }
        after = now();
        if ((after - before) / 20 < best) best = (after - before) / 20;
        before = after;
      } while (after - start < 5e7);
      answer(&best, sizeof best);
    } else if (what == 'P') {
      need(&tag, 1);
      adlen = block(ad);
      n = block(in);
      crypto_secretstream_xchacha20poly1305_push(&push, out, NULL, in, n, ad, adlen, tag);
      answer(out, n + OVERHEAD);
    } else {
      adlen = block(ad);
      n = block(in);
      unsigned char ok = n >= OVERHEAD && crypto_secretstream_xchacha20poly1305_pull(&pull, out, NULL, &tag, in, n, ad, adlen) == 0;
      fwrite(&ok, 1, 1, stdout);
      if (ok) {
        fwrite(&tag, 1, 1, stdout);
        answer(out, n - OVERHEAD);
      }
    }
    fflush(stdout);
  }
}
