// Package capture is a recording relay: it stands between clients and the device that they want, passes every byte on
// unchanged, and hands what passes to sinks that write it down: as a transcript, as pcapng for Wireshark, as a live view.
//
// A message is recorded before it is passed on, so that an answer never stands before its question. Recording goes through
// one bounded queue: when the disk is slower than the conversation the conversation waits, and when a sink fails the relay
// ends with its error. Nothing is lost without a word.
package capture
