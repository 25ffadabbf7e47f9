package rfc2217server_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/patchbay-io/patchbay/protocol/rfc2217"
)

// heard is every message that comes within a second, as code and value.
func (r *rig) heard(t *testing.T, d *rfc2217.Decoder) (out [][2]uint32) {
	t.Helper()
	r.conn.SetReadDeadline(time.Now().Add(time.Second))
	b := make([]byte, 4096)
	for {
		n, err := r.conn.Read(b)
		for rest := b[:n]; len(rest) > 0; {
			var it rfc2217.Item
			if it, rest = d.Next(rest); it.Kind != rfc2217.Sub {
				continue
			}
			m, err := rfc2217.ParseMessage(it.Data)
			if err != nil || !m.Server {
				t.Errorf("% x: %v", it.Data, err)
			}
			out = append(out, [2]uint32{uint32(m.Code), m.Value})
		}
		if err != nil {
			return out
		}
	}
}

// The modem lines are told once when com-port control is agreed on, on every change, and when they are asked for; masks take
// changes out. Line states are told when a mask asks for them.
func TestNotifications(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		defer r.end(t)
		defer r.conn.Close()
		var d rfc2217.Decoder
		const modem, line = uint32(rfc2217.NotifyModemState), uint32(rfc2217.NotifyLineState)
		const cts, dsr, ri, cd = byte(rfc2217.ModemCTS), byte(rfc2217.ModemDSR), byte(rfc2217.ModemRI), byte(rfc2217.ModemCD)
		say := func(code rfc2217.Code, v uint32) func() {
			return func() { r.conn.Write((&rfc2217.Message{Code: code, Value: v}).AppendTo(nil)) }
		}
		lines := func(m, l byte) func() { return func() { r.port.events <- [2]byte{m, l} } }
		for _, step := range []struct {
			name string
			do   func()
			want [][2]uint32
		}{
			{"nothing is told before the option is agreed on", lines(cts, 0), nil},
			{"the lines, early", func() { r.conn.Write([]byte{rfc2217.IAC, rfc2217.WILL, rfc2217.OptComPort}) }, [][2]uint32{{modem, uint32(cts)}}},
			{"the same again is no change", lines(cts, 0), nil},
			{"DSR comes", lines(cts|dsr, 0), [][2]uint32{{modem, uint32(cts|dsr) | 2}}},
			{"RI comes", lines(cts|dsr|ri, 0), [][2]uint32{{modem, uint32(cts | dsr | ri)}}},
			{"RI goes", lines(cts|dsr, 0), [][2]uint32{{modem, uint32(cts|dsr) | 4}}},
			{"CTS and CD at once", lines(dsr|cd, 0), [][2]uint32{{modem, uint32(dsr|cd) | 8 | 1}}},
			{"asked for", say(rfc2217.NotifyModemState, 0), [][2]uint32{{modem, uint32(dsr | cd)}}},
			{"line states are not told at first", lines(dsr|cd, byte(rfc2217.LineBreak)), nil},
			{"a mask for them", say(rfc2217.SetLineStateMask, uint32(rfc2217.LineBreak|rfc2217.LineParity)), [][2]uint32{{uint32(rfc2217.SetLineStateMask), 20}}},
			{"a break and an overrun", lines(dsr|cd, byte(rfc2217.LineBreak|rfc2217.LineOverrun)), [][2]uint32{{line, uint32(rfc2217.LineBreak)}}},
			{"an overrun alone", lines(dsr|cd, byte(rfc2217.LineOverrun)), nil},
			{"asked for a line state", say(rfc2217.NotifyLineState, 0), [][2]uint32{{line, 0}}},
			{"a mask of CTS", say(rfc2217.SetModemStateMask, uint32(cts)), [][2]uint32{{uint32(rfc2217.SetModemStateMask), uint32(cts)}}},
			{"CD goes", lines(dsr, 0), nil},
			{"CTS comes", lines(dsr|cts, 0), [][2]uint32{{modem, uint32(dsr|cts) | 1}}},
			{"no mask at all", say(rfc2217.SetModemStateMask, 0), [][2]uint32{{uint32(rfc2217.SetModemStateMask), 0}}},
			{"all go", lines(0, 0), nil},
			{"asked for all the same", say(rfc2217.NotifyModemState, 0), [][2]uint32{{modem, 0}}},
		} {
			step.do()
			if diff := cmp.Diff(step.want, r.heard(t, &d)); diff != "" {
				t.Errorf("%s: %s", step.name, diff)
			}
		}
	})
}
