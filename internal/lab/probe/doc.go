// Package probe finds out, step by step, what stands at an address: is the name known, does the host answer, is the port
// open, which protocol does it speak. Each step says what was sent, what came back, what that means and what to do.
//
// It is careful. Without a port it tries only those that belong to a known protocol, and to an open port it sends only what
// that protocol's own software sends first, because behind an open port may stand a raw serial line with a machine at its
// end, which takes any byte for a command. A port that no protocol owns is probed only when that was asked for. Every
// connection is bounded in time and bytes, and they follow one another at a pace.
package probe
