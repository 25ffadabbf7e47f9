// Package rfc2217server is the server side of com-port control: it offers something that behaves like a serial port to the clients
// of RFC 2217, one connection each. Every request is answered, since clients wait for that.
package rfc2217server
