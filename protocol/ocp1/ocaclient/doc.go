// Package ocaclient is the controller's side of OCP.1: one connection to one AES70 device, over TCP, TLS, WebSocket or whatever
// else gives a net.Conn.
//
// Commands are pipelined: any number of goroutines may ask at the same time, and [Client.DoAll] sends many commands in few messages
// with a bounded number of them unanswered. Events arrive through one callback. A client never reconnects; when the
// connection ends, [Client.Done] closes and a new client is made.
package ocaclient
