// Package rfc2217 is the telnet com-port control of RFC 2217, for both sides: the telnet layer below it (RFC 854, 855),
// option negotiation that cannot loop (the Q method of RFC 1143), and the messages of option 44.
//
// A [Decoder] takes the bytes of one direction apart without allocating; [AppendData] escapes data for the other. A
// [Negotiator] keeps the state of the options and says what to answer. A [Message] is one sub-negotiation of option 44.
// All integers on the wire are big-endian. The package does no I/O; see rfc2217client and rfc2217server.
package rfc2217
