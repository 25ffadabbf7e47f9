// Package transcript is recorded conversations as text that people read, compare and edit: who said which bytes when, and
// who made them.
//
// A file is a header, an empty line, and events:
//
//	patchbay transcript 1
//	protocol: focas
//	device: FANUC Series 30i-B
//	date: 2026-11-20
//	client: vendor-library; the maker's client library for Linux
//	server: device
//
//	# anything after a number sign is a comment on a line of its own
//	= 1 +0.000000 open tcp 192.0.2.21:8193
//	> 1 +0.000212 data
//	  a0 a0 a0 a0 00 01 01 01  00 02 00 02              |............|
//	< 1 +0.001734 data
//	  a0 a0 a0 a0 00 01 01 02  00 00                    |..........|
//	> 1 +2.000000 close
//
// An event is a direction (">" client to server, "<" server to client, "=" neither), the number of its flow, the time since
// the start in seconds, a kind and a text. Rows of hex follow the kinds data and datagram, at most 16 bytes each; what
// stands between bars is for the eye and is not read. Hand-written files may space and wrap as they like; [Writer] writes
// one form only, and a file in that form is written back to the same bytes.
//
// The header says for each direction who produced its bytes. Only the maker's own device, library or software proves
// anything about them: see [Header.Evidence].
//
// The package imports no network; package tap records and replays.
package transcript
