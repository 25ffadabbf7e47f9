// Package serialport is what drivers of a device with one serial port share: the port's points, its settings as writes, and the
// one stream through which its bytes go.
package serialport
