// Package ocp1 is OCP.1, the binary protocol of AES70 (AES70-3), and the class tables of the AES70 object model (AES70-2) that
// clients, servers and decoders share.
//
// It turns bytes into values and back; it does no I/O, starts nothing and logs nothing. The sides are in ocaclient, ocaserver
// and ocasim below it; ocaws carries the same bytes over WebSocket.
//
// # The message
//
// Everything is big-endian. There is no framing below: messages follow one another on a stream, and WebSocket frames carry
// the same stream, cut anywhere.
//
//	0      1         3            7      8        10
//	+------+---------+------------+------+--------+----------
//	| 3b   | u16     | u32        | u8   | u16    | PDUs
//	| sync | version | size       | type | count  |
//	+------+---------+------------+------+--------+----------
//
// The size counts every byte after the sync byte. A message holds any number of PDUs of one type, up to 65,535; a keep-alive
// stands alone. The version is 1 (2015), 2 (2018), 3 (2023) or 4 (2024); peers accept any, and a device answers with the version that it was
// asked in.
//
// A [Command] that wants an answer is answered by a [Response] with the same handle; answers may be batched and reordered.
// Events come as [Notification] (EV1, for subscribers who named a method of theirs) or [Notification2] (EV2).
//
// There is no way back into step: after bytes that are no message, a TCP connection is closed.
//
// # Evidence
//
// The layout follows AES70-3 and was compared with what AES70.js, a C device (aes70-esp-idf) and Wireshark's dissector send
// and accept. docs/protocols/aes70.md has the facts one by one.
package ocp1
