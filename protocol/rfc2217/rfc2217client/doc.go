// Package rfc2217client is the client side of a com port behind RFC 2217: a serial port of a terminal server as a stream of bytes
// with settings, modem lines, break and purge.
package rfc2217client
