// Package replay plays one side of a recording against a live peer: the recorded client against a server ([Connect]), or
// the recorded server for a client ([Listen]), and says where the peer first does something else. Strict comparison wants
// the same bytes. Tolerant comparison takes both sides apart with the protocol's dissector and lets differ what differs by
// its nature: times, counters, identities, addresses, and the live values of a machine.
//
// [FOCAS] answers by request instead: it serves what a control has answered in a recording, in whatever order a client
// asks. It is the far end of replay+focas: device URLs.
package replay
