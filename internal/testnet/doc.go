// Package testnet is a network in memory for tests: buffered connections, a listener, packet connections, dial outcomes and
// faults. It uses no operating system resource and starts no goroutine, and everything that waits in it waits durably, so
// it works inside a testing/synctest bubble: a connection belongs to the bubble that it was made in.
//
// Unlike [net.Pipe], a connection has a buffer, so both ends may write first.
package testnet
