// Package dmserver is the box: it accepts the maker's drivers and tools, keeps the framing, the ownership and the flow
// control of its ports, and hands the bytes of each port to a [Backend]. What stands behind is not its business: a simulated
// cable, a real serial port, a port of another box.
//
// A port has one owner, a connection. Everybody else is told that it is busy; whoever asks for a release gets it, and the
// owner is told. Answers to one burst of messages go out in one write, each write begins with its own port selection, and
// nothing ever stands between messages, as the maker's driver needs it.
package dmserver
