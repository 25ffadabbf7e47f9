// Package tap records conversations as they happen and plays recorded ones back. A [Recorder] wraps a connection, a
// listener, a packet connection or a dial function and writes a transcript; a [Replay] is the recorded peer as a net.Conn.
package tap
