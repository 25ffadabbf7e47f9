// Package tcpserver is the part that every TCP server of the protocol packages shares: the accept loop, the set of live
// connections, limits, deadlines and the two ways to stop. It knows nothing of any protocol.
package tcpserver
