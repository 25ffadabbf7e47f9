package tty

import (
	"testing"

	"golang.org/x/sys/unix"

	"github.com/patchbay-io/patchbay/internal/driver"
)

func TestLinesAndSettings(t *testing.T) {
	for _, text := range []string{"9600n81", "300e72", "115200o81", "250000n81", "1200m51", "4000000s62"} {
		for _, flow := range []driver.Flow{driver.FlowNone, driver.FlowXonXoff, driver.FlowRtsCts} {
			want, err := driver.ParseLine(text)
			if err != nil {
				t.Fatal(err)
			}
			want.Flow = flow
			s := unix.Termios{Cflag: unix.CS8 | unix.CSTOPB | unix.PARENB | unix.CRTSCTS, Iflag: unix.IXON}
			Put(&s, want)
			if got := Line(&s); got != want {
				t.Errorf("%v %v becomes %v %v", want, flow, got, got.Flow)
			}
			before := s
			Put(&s, driver.Line{})
			if s != before {
				t.Errorf("%v: nothing changes something", want)
			}
		}
	}
	if got := Line(&unix.Termios{Cflag: unix.B57600 | unix.CS7}); got.Baud != 57600 || got.Data != 7 {
		t.Errorf("%+v", got)
	}
	s := unix.Termios{Iflag: ^uint32(0), Oflag: ^uint32(0), Lflag: ^uint32(0)}
	Raw(&s)
	if s.Lflag&unix.ECHO != 0 || s.Oflag&unix.OPOST != 0 || s.Iflag&unix.ICRNL != 0 || s.Cc[unix.VMIN] != 1 {
		t.Errorf("%+v", s)
	}
	if _, err := Get(-1); err == nil {
		t.Error("Get of nothing")
	}
	if Set(-1, &s) == nil {
		t.Error("Set of nothing")
	}
}
