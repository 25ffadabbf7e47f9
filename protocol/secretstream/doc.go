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
// # Evidence
//
// The format is specified by libsodium's documentation; the vectors in the tests were made with libsodium 1.0.18, and make
// interop runs libsodium against this package in both directions.
package secretstream
