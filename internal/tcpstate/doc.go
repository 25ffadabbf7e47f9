// Package tcpstate asks the system how a TCP connection is doing.
package tcpstate
