// Package devicemaster is the wire format of the Comtrol (now Pepperl+Fuchs) DeviceMaster serial device servers: the
// NS-Link driver protocol on TCP port 4606 and the discovery on UDP port 4606.
//
// It turns bytes into values and back; it does no I/O, starts nothing and logs nothing. The sides are in dmclient, dmserver
// and dmsim below it.
//
// # Two languages on one connection
//
// One TCP connection carries all ports of a box. A client first speaks tool requests (8-byte header, first byte 1 to 13) and
// then messages (first byte 0x60 to 0x7c, or 0xfd). There is no outer frame: messages follow each other, and the length of
// each follows from its first byte. Most are about the port that the last [OpSelect] of the same direction has chosen.
//
//	05 00 08 00 00 00 00 00     who are you?       → 147 bytes, see [IDResponse]
//	73                          begin a session    → 74
//	62 03 76 01                 open port 3        → 62 03 76 10 38 00
//	62 03 61 02 00 68 69        two bytes for it   → 62 03 60 02 00
//	fd                          are you there?     → fd
//
// Integers of messages are little-endian.
//
// # Flow control
//
// Each port has one counter per direction: the bytes of [OpData], modulo 65536. The receiver tells with [OpTotal] how many of
// them it has consumed since the port was opened; the sender keeps at most [Window] bytes unacknowledged. The counters begin
// at 0 with each session and each opening. See [Flow].
//
// # Evidence
//
// Names, sizes and bit fields are those of the maker's own published Linux driver; the byte strings of the tests were
// recorded between the maker's Windows driver and a device (SocketServer 11.34) and published. What only follows from these
// is marked inferred, and what nobody has checked is marked guess. docs/protocols/devicemaster.md has the table.
package devicemaster
