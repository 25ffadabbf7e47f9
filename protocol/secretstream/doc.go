// Package secretstream is libsodium's crypto_secretstream_xchacha20poly1305: a stream of messages, each encrypted and
// authenticated with its place in the stream, so that none can be changed, left out, repeated or moved unnoticed.
//
// It does no I/O. A [Pusher] encrypts and a [Puller] decrypts; the two sides share a key of 32 bytes, and the sender's header
// of 24 random bytes goes ahead of the first message, outside this package's messages. One key serves many streams, since each
// has a header of its own; a header must never be used twice with one key.
//
// # One message
//
//	0           1                       1+n         1+n+16
//	+-----------+-----------------------+-----------+
//	| tag, u8   | n bytes of message    | MAC       |
//	| encrypted | encrypted             | 16 bytes  |
//	+-----------+-----------------------+-----------+
//
// The MAC is Poly1305 over, in this order: the additional data, filled with zeros to a multiple of 16; the 64 bytes of the
// encrypted tag block; the encrypted message; n mod 16 zeros (and not the 16-n mod 16 that would complete a block: a quirk that
// libsodium keeps for the sake of its past); the lengths of the additional data and of tag block and message, 8 bytes each,
// little-endian. Its key is block 0 of the ChaCha20 stream of key and nonce, the tag block is encrypted with block 1, the
// message from block 2 on.
//
// The nonce is a counter of 4 bytes, little-endian and starting at 1, and 8 bytes that each message changes by XOR with the first 8 bytes of its
// MAC. After a message with [TagRekey] in its tag, and when the counter has come round to 0, key and nonce change on both
// sides, so that what was sent before stays secret when the key in memory is lost later.
//
// # Speed
//
// golang.org/x/crypto has vector code for ChaCha20 only inside its AEAD, and that is what encrypts here. Where the two paddings
// are as long, when n mod 16 is 0 or 8, the AEAD's MAC is also the right one. Otherwise the message is gone over once more with
// Poly1305, and block 0, from which its key comes, is made once more with portable code. In nanoseconds per message on amd64
// with AVX2, in one run with libsodium 1.0.18 (make interop shows it):
//
//	            64    1280    1283    16384 bytes
//	push       226     874    1568     8900
//	libsodium  475    1384    1489    12190
//	pull       361    1038    1606     9750
//	libsodium  496    1400    1517    12210
//
// At 1283 bytes 912 of the 1568 are the AEAD's, 490 are Poly1305 a second time, 136 block 0 and 30 copies. The AEAD without its own
// Poly1305, with a counter to start from, or with its MAC key in view would make up for the difference, and has none of these.
// Padding its input does not help: 1408 bytes take it 919 ns, 1536 take 958. Nor does a Poly1305 made for it: two halves of the
// message side by side, joined by a power of the key, take 520 ns in Go and 450 in assembly, which is no gain worth assembly
// in a cipher.
//
// # Evidence
//
// The format is specified by libsodium's documentation; the vectors in the tests were made with libsodium 1.0.18, and make
// interop runs libsodium against this package in both directions.
package secretstream
