// Package serial is the door that offers the serial ports of devices as what programs expect: TCP ports with RFC 2217 or raw
// bytes, and PTYs with stable names.
package serial
