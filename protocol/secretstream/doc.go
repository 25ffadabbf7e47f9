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
// There are three ways of making one message, which give the same bytes:
//
//   - Where libsodium's zeros and those of the AEAD are as many, when n mod 16 is 0 or 8, the AEAD of golang.org/x/crypto does
//     everything in one pass.
//   - Otherwise, on amd64 with AVX2, the assembly of this package makes eight blocks of the ChaCha20 stream at a time, from block
//     0 on, and Poly1305 goes over the message once. docs/decisions/0016-assembly.md says why it is there, and until when.
//   - Otherwise the AEAD encrypts, Poly1305 goes over the message a second time, and block 0, from which its key comes, is made
//     a second time.
//
// In nanoseconds per message on amd64 with AVX2, in one run with libsodium 1.0.18 (make interop shows it), and what the third way
// takes there:
//
//	             64    1280    1283   16384   16387 bytes
//	push        228     874    1112    8890   11980
//	libsodium   475    1387    1490   12200   12300
//	pull        364    1041    1128    9750   12000
//	libsodium   496    1400    1517   12210   12310
//	third way, push            1566           14820
//	third way, pull            1607           15500
//
// Of the 1112, Poly1305 takes 490 and the 24 blocks of the stream 570. For a multiple of 8 the AEAD remains the quicker one, since
// it has both go on at the same time; for messages to read of up to 384 bytes the assembly would take some 60 ns less, which is not
// worth a rule of its own.
//
// # Evidence
//
// The format is specified by libsodium's documentation; the vectors in the tests were made with libsodium 1.0.18, and make
// interop runs libsodium against this package in both directions. The assembly is checked against the ChaCha20 of
// golang.org/x/crypto and the example of RFC 8439, and the ways against each other for every length up to 2100.
package secretstream
