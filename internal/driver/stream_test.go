package driver

import "testing"

func TestParseLine(t *testing.T) {
	for _, row := range []struct {
		text, back, format string
		want               Line
	}{
		{"9600n81", "9600n81", "8N1", Line{Baud: 9600, Parity: 'N', Data: 8, HalfStops: 2}},
		{"9600 8N1", "9600n81", "8N1", Line{Baud: 9600, Parity: 'N', Data: 8, HalfStops: 2}},
		{"115200-7e2", "115200e72", "7E2", Line{Baud: 115200, Parity: 'E', Data: 7, HalfStops: 4}},
		{"300 5m1.5", "300m51.5", "5M1.5", Line{Baud: 300, Parity: 'M', Data: 5, HalfStops: 3}},
		{"19200,8,O,1", "19200o81", "8O1", Line{Baud: 19200, Parity: 'O', Data: 8, HalfStops: 2}},
		{"250000", "250000", "", Line{Baud: 250000}},
	} {
		got, err := ParseLine(row.text)
		if err != nil || got != row.want || got.String() != row.back || got.Format() != row.format {
			t.Errorf("%q: %+v %v, %q %q", row.text, got, err, got.String(), got.Format())
		}
		if again, err := ParseLine(row.back); err != nil || again != row.want {
			t.Errorf("%q is read as %+v, %v", row.back, again, err)
		}
	}
	for l, want := range map[Line]string{
		{Baud: 115200, HalfStops: 2}:            "115200 ??1", // as a PTY has it
		{Data: 7, Parity: 'E'}:                  "0 7E?",
		{Baud: 9600, Parity: 'N', HalfStops: 4}: "9600 ?N2",
	} {
		if l.String() != want {
			t.Errorf("%+v is %q", l, l.String())
		}
	}
	for _, bad := range []string{"", "n81", "9600x81", "9600n91", "9600n8", "9600n83", "9600n", "0n81", "99999999999n81", "9600n811"} {
		if l, err := ParseLine(bad); err == nil {
			t.Errorf("%q is taken for %+v", bad, l)
		}
	}
}

func TestLineOver(t *testing.T) {
	yes, no := true, false
	base := Line{Baud: 9600, Data: 8, HalfStops: 2, Parity: 'N', Flow: FlowNone, Mode: "rs-232", RTS: &yes, DTR: &yes, Break: &no}
	if got := (Line{}).Over(base); got != base {
		t.Errorf("nothing over a base is %+v", got)
	}
	own := Line{Baud: 300, Data: 7, HalfStops: 4, Parity: 'E', Flow: FlowRtsCts, Mode: "rs-485", RTS: &no, DTR: &no, Break: &yes}
	if got := own.Over(base); got != own {
		t.Errorf("everything over a base is %+v", got)
	}
	for f, want := range map[Flow]string{FlowAsIs: "", FlowNone: "none", FlowXonXoff: "xon-xoff", FlowRtsCts: "rts-cts", 9: "unknown"} {
		if f.String() != want {
			t.Errorf("flow %d is %q", f, f)
		}
	}
}
