// Package ocaws carries OCP.1 over WebSocket, on both sides: a connection is a net.Conn whose bytes travel in binary frames,
// cut anywhere, as AES70-3 wants. Text frames are no part of the protocol and are passed over.
package ocaws
