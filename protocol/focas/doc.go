// Package focas is the wire format of FANUC's FOCAS2 over Ethernet, which a CNC serves on TCP port 8193.
//
// It turns bytes into values and back; it does no I/O, starts nothing and logs nothing. The sides are in focasclient,
// focasserver and focassim below it.
//
// # The frame
//
// Everything is big-endian.
//
//	0            4        6      7      8        10
//	+------------+--------+------+------+--------+----------------
//	| a0a0a0a0   | u16    | u8   | u8   | u16    | body
//	| mark       | version| type | dir  | length | length bytes
//	+------------+--------+------+------+--------+----------------
//
// A client always sends version 1; a control answers with its own protocol version, which selects the dialect:
// 1 and 2 are [Classic] (16i, 18i, 21i, 0i-A to C), 3 and above are [Series30i] (30i, 31i, 32i, 0i-D, 0i-F).
// There is no sequence number: one request is in flight on a channel, and replies come in order.
//
// A session has two channels, each a TCP connection of its own that is opened with the channel's number: 1 carries program and data transfer, 2
// carries everything else as data frames (type 0x21), which hold N [Request] blocks and are answered by N [Reply]
// blocks, each with an error code of its own.
//
// # Evidence
//
// What is marked seen was measured with FANUC's own client library against a scratch responder: it shows what that
// library sends and accepts, not what a control chooses to answer. What rests on public code or on reports about real
// controls says so; guesses are marked guess. docs/protocols/focas.md has the table of all facts.
package focas
