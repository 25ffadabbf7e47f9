package tty

import (
	"golang.org/x/sys/unix"

	"github.com/patchbay-io/patchbay/internal/driver"
)

// Get reads the settings of a terminal, odd speeds included.
func Get(fd int) (*unix.Termios, error) { return unix.IoctlGetTermios(fd, unix.TCGETS2) }

// Set brings settings into force at once.
func Set(fd int, t *unix.Termios) error { return unix.IoctlSetTermios(fd, unix.TCSETS2, t) }

// Raw takes away everything by which the kernel would change bytes on their way.
func Raw(t *unix.Termios) {
	t.Iflag &^= unix.IGNBRK | unix.BRKINT | unix.PARMRK | unix.ISTRIP | unix.INLCR | unix.IGNCR | unix.ICRNL | unix.IXON | unix.IXOFF | unix.IXANY | unix.INPCK
	t.Oflag &^= unix.OPOST
	t.Lflag &^= unix.ECHO | unix.ECHONL | unix.ICANON | unix.ISIG | unix.IEXTEN
	t.Cflag |= unix.CREAD | unix.CLOCAL
	t.Cc[unix.VMIN], t.Cc[unix.VTIME] = 1, 0
}

// Line is what settings mean for a serial line.
func Line(t *unix.Termios) driver.Line {
	l := driver.Line{Baud: speed(t), Data: 5 + uint8(t.Cflag&unix.CSIZE>>4), HalfStops: 2, Parity: 'N', Flow: driver.FlowNone}
	if t.Cflag&unix.CSTOPB != 0 {
		l.HalfStops = 4
	}
	switch {
	case t.Cflag&unix.PARENB == 0:
	case t.Cflag&unix.CMSPAR != 0 && t.Cflag&unix.PARODD != 0:
		l.Parity = 'M'
	case t.Cflag&unix.CMSPAR != 0:
		l.Parity = 'S'
	case t.Cflag&unix.PARODD != 0:
		l.Parity = 'O'
	default:
		l.Parity = 'E'
	}
	switch {
	case t.Cflag&unix.CRTSCTS != 0:
		l.Flow = driver.FlowRtsCts
	case t.Iflag&(unix.IXON|unix.IXOFF) != 0:
		l.Flow = driver.FlowXonXoff
	}
	return l
}

// Put brings what l names into t. What Linux does not have, such as 1.5 stop bits, is left as it is.
func Put(t *unix.Termios, l driver.Line) {
	if l.Baud != 0 {
		t.Cflag = t.Cflag&^(unix.CBAUD|unix.CBAUD<<16) | unix.BOTHER | unix.BOTHER<<16
		t.Ispeed, t.Ospeed = l.Baud, l.Baud
	}
	if l.Data >= 5 && l.Data <= 8 {
		t.Cflag = t.Cflag&^unix.CSIZE | uint32(l.Data-5)<<4
	}
	switch l.HalfStops {
	case 2:
		t.Cflag &^= unix.CSTOPB
	case 4:
		t.Cflag |= unix.CSTOPB
	}
	const parity = unix.PARENB | unix.PARODD | unix.CMSPAR
	switch l.Parity {
	case 'N':
		t.Cflag &^= parity
	case 'E':
		t.Cflag = t.Cflag&^parity | unix.PARENB
	case 'O':
		t.Cflag = t.Cflag&^parity | unix.PARENB | unix.PARODD
	case 'M':
		t.Cflag |= parity
	case 'S':
		t.Cflag = t.Cflag&^parity | unix.PARENB | unix.CMSPAR
	}
	if l.Flow != driver.FlowAsIs {
		t.Cflag &^= unix.CRTSCTS
		t.Iflag &^= unix.IXON | unix.IXOFF
	}
	switch l.Flow {
	case driver.FlowRtsCts:
		t.Cflag |= unix.CRTSCTS
	case driver.FlowXonXoff:
		t.Iflag |= unix.IXON | unix.IXOFF
	}
}

// speeds are the codes of the old interface, which drivers still report.
var speeds = [...]struct{ code, baud uint32 }{
	{unix.B50, 50}, {unix.B75, 75}, {unix.B110, 110}, {unix.B134, 134}, {unix.B150, 150}, {unix.B200, 200}, {unix.B300, 300}, {unix.B600, 600},
	{unix.B1200, 1200}, {unix.B1800, 1800}, {unix.B2400, 2400}, {unix.B4800, 4800}, {unix.B9600, 9600}, {unix.B19200, 19200}, {unix.B38400, 38400},
	{unix.B57600, 57600}, {unix.B115200, 115200}, {unix.B230400, 230400}, {unix.B460800, 460800}, {unix.B500000, 500000}, {unix.B576000, 576000},
	{unix.B921600, 921600}, {unix.B1000000, 1000000}, {unix.B1152000, 1152000}, {unix.B1500000, 1500000}, {unix.B2000000, 2000000},
	{unix.B2500000, 2500000}, {unix.B3000000, 3000000}, {unix.B3500000, 3500000}, {unix.B4000000, 4000000},
}

func speed(t *unix.Termios) uint32 {
	if t.Ospeed != 0 {
		return t.Ospeed
	}
	for _, s := range speeds {
		if t.Cflag&unix.CBAUD == s.code {
			return s.baud
		}
	}
	return 0
}
