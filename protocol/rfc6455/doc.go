// Package rfc6455 takes the bytes of WebSocket connections apart, for recordings: the upgrade, which is HTTP, and the frames
// behind it. The clients and servers of this module speak WebSocket with a library; this is for looking at what was said.
//
//	byte 0    fin (0x80), reserved bits (0x70), opcode (0x0f)
//	byte 1    masked (0x80), length (0x7f): 126 and 127 stand for a length of 2 or 8 bytes behind it
//	          length, 0, 2 or 8 bytes, big-endian
//	          mask, 4 bytes when masked
//	          payload, XORed with the mask
//
// Everything is from RFC 6455 and, for compressed messages, RFC 7692 (grade "spec"). The package does no I/O and starts nothing.
package rfc6455
