package rfc2217

import (
	"bytes"
	"testing"
)

// both runs two negotiators against each other until nobody says anything, and returns how many requests went over the wire.
func both(t *testing.T, a, b *Negotiator, first []byte) int {
	t.Helper()
	n := 0
	at := [2]*Negotiator{b, a}
	say := [2][]byte{first, nil} // what a said, what b said
	for len(say[0])+len(say[1]) > 0 {
		for i := range say {
			in := say[i]
			say[i] = nil
			for ; len(in) >= 3; in = in[3:] {
				if n++; n > 100 {
					t.Fatal("it never ends")
				}
				say[1-i], _ = at[i].Receive(say[1-i], in[1], in[2])
			}
		}
	}
	return n
}

func accept(want ...byte) func(bool, byte) bool {
	return func(_ bool, o byte) bool { return bytes.IndexByte(want, o) >= 0 }
}

func TestNegotiation(t *testing.T) {
	for _, row := range []struct {
		name         string
		a, b         func(bool, byte) bool
		ask          func(n *Negotiator) []byte
		local, after bool // of option 44 at a and, as remote, at b
		messages     int
	}{
		{"accepted", accept(44), accept(44), func(n *Negotiator) []byte { return n.Ask(nil, true, 44, true) }, true, true, 2},
		{"refused", accept(44), accept(), func(n *Negotiator) []byte { return n.Ask(nil, true, 44, true) }, true, false, 2},
		{"the peer's", accept(44), accept(44), func(n *Negotiator) []byte { return n.Ask(nil, false, 44, true) }, false, true, 2},
		{"the peer refuses its own", accept(44), accept(), func(n *Negotiator) []byte { return n.Ask(nil, false, 44, true) }, false, false, 2},
		{"asked twice", accept(44), accept(44), func(n *Negotiator) []byte {
			return n.Ask(n.Ask(nil, true, 44, true), true, 44, true)
		}, true, true, 2},
		{"on, and off before the answer", accept(44), accept(44), func(n *Negotiator) []byte {
			return n.Ask(n.Ask(nil, true, 44, true), true, 44, false)
		}, true, false, 4},
		{"on, off, on before the answer", accept(44), accept(44), func(n *Negotiator) []byte {
			return n.Ask(n.Ask(n.Ask(nil, true, 44, true), true, 44, false), true, 44, true)
		}, true, true, 2},
	} {
		t.Run(row.name, func(t *testing.T) {
			a, b := &Negotiator{Accept: row.a}, &Negotiator{Accept: row.b}
			if n := both(t, a, b, row.ask(a)); n != row.messages {
				t.Errorf("%d messages, want %d", n, row.messages)
			}
			gotA, gotB := a.Local(44), b.Remote(44)
			if !row.local {
				gotA, gotB = a.Remote(44), b.Local(44)
			}
			if gotA != row.after || gotB != row.after || a.Pending(row.local, 44) {
				t.Errorf("on at one %v, at the other %v", gotA, gotB)
			}
		})
	}
}

// Both ask at the same time, as pyserial and ser2net do.
func TestBothAskAtOnce(t *testing.T) {
	a, b := &Negotiator{Accept: accept(44)}, &Negotiator{Accept: accept(44)}
	fromA := a.Ask(nil, true, 44, true)
	fromB := b.Ask(nil, false, 44, true)
	answer, _ := b.Receive(nil, fromA[1], fromA[2])
	back, _ := a.Receive(nil, fromB[1], fromB[2])
	if len(answer) != 0 || len(back) != 0 || !a.Local(44) || !b.Remote(44) {
		t.Errorf("% x, % x", answer, back)
	}
}

func TestSwitchingOff(t *testing.T) {
	a, b := &Negotiator{Accept: accept(0)}, &Negotiator{Accept: accept(0)}
	both(t, a, b, a.Ask(nil, true, 0, true))
	if n := both(t, a, b, a.Ask(nil, true, 0, false)); n != 2 || a.Local(0) || b.Remote(0) {
		t.Errorf("%d messages, %v %v", n, a.Local(0), b.Remote(0))
	}
	both(t, a, b, a.Ask(nil, true, 0, true))
	off := a.Ask(nil, true, 0, false)
	if again := a.Ask(nil, true, 0, true); again != nil {
		t.Errorf("asks % x before the answer", again)
	}
	both(t, a, b, off)
	if !a.Local(0) || !b.Remote(0) {
		t.Error("off, on before the answer: it is off")
	}
	if out := a.Ask(nil, true, 0, true); out != nil {
		t.Errorf("asks for what is on: % x", out)
	}
	if out := a.Ask(nil, false, 9, false); out != nil {
		t.Errorf("asks for what is off to go off: % x", out)
	}
}

// Repeating what is so gets no answer; changing again and again gets only so many.
func TestLoopsEnd(t *testing.T) {
	n := &Negotiator{Accept: accept(0)}
	for range 3 {
		n.Receive(nil, WILL, 0)
	}
	if out, changed := n.Receive(nil, WILL, 0); len(out) != 0 || changed {
		t.Errorf("WILL for what is on is answered: % x", out)
	}
	if out, _ := n.Receive(nil, DONT, 9); len(out) != 0 {
		t.Errorf("DONT for what is off is answered: % x", out)
	}
	answers := 0
	for range 1000 {
		out, _ := n.Receive(nil, WONT, 0)
		answers += len(out) / 3
		out, _ = n.Receive(nil, WILL, 0)
		answers += len(out) / 3
		out, _ = n.Receive(nil, DO, 77) // refused each time
		answers += len(out) / 3
	}
	if answers > 3*MaxFlips || n.Ignored() == 0 {
		t.Errorf("%d answers, %d ignored", answers, n.Ignored())
	}
	for range 100 {
		n.Receive(nil, DO, OptTimingMark)
	}
}

// What a confused peer says ends in a defined state.
func TestConfusedPeers(t *testing.T) {
	n := &Negotiator{Accept: accept(0)}
	n.Ask(nil, false, 0, true)
	n.Receive(nil, WILL, 0)
	n.Ask(nil, false, 0, false) // DONT
	if out, _ := n.Receive(nil, WILL, 0); len(out) != 0 || n.Remote(0) {
		t.Error("WILL as the answer to DONT")
	}
	n.Ask(nil, false, 0, true)
	n.Ask(nil, false, 0, false)
	if out, _ := n.Receive(nil, WONT, 0); len(out) != 0 || n.Remote(0) {
		t.Error("WONT when off is wanted after all")
	}
	if (&Negotiator{}).Accept != nil {
		t.Error("the zero value accepts")
	}
}

// The whole table of RFC 1143: what an option becomes, and what is said, for every state and every word of either side.
func TestEveryStateOfTheQMethod(t *testing.T) {
	const on, off = true, false
	type row struct {
		from     qState
		heard    bool // the peer wants it on
		accepted bool
		to       qState
		say      string // "on", "off" or nothing
	}
	for _, r := range []row{
		{qNo, on, true, qYes, "on"}, {qNo, on, false, qNo, "off"}, {qNo, off, true, qNo, ""},
		{qYes, on, true, qYes, ""}, {qYes, off, true, qNo, "off"},
		{qWantNo, on, true, qNo, ""}, {qWantNo, off, true, qNo, ""},
		{qWantNoOpposite, on, true, qYes, ""}, {qWantNoOpposite, off, true, qWantYes, "on"},
		{qWantYes, on, true, qYes, ""}, {qWantYes, off, true, qNo, ""},
		{qWantYesOpposite, on, true, qWantNo, "off"}, {qWantYesOpposite, off, true, qNo, ""},
	} {
		for _, local := range []bool{true, false} {
			n := &Negotiator{Accept: func(bool, byte) bool { return r.accepted }}
			n.at(local, 9).q = r.from
			said := map[[2]bool]byte{{true, on}: DO, {true, off}: DONT, {false, on}: WILL, {false, off}: WONT}[[2]bool{local, r.heard}]
			var want []byte
			if r.say != "" {
				want = []byte{IAC, verb(local, r.say == "on"), 9}
			}
			got, _ := n.Receive(nil, said, 9)
			if q := n.at(local, 9).q; q != r.to || !bytes.Equal(got, want) {
				t.Errorf("state %d hears %s: state %d and % x; want %d and % x", r.from, VerbName(said), q, got, r.to, want)
			}
		}
	}
	for _, r := range []row{ // heard is what we want now
		{qNo, on, true, qWantYes, "on"}, {qNo, off, true, qNo, ""}, {qYes, on, true, qYes, ""}, {qYes, off, true, qWantNo, "off"},
		{qWantNo, on, true, qWantNoOpposite, ""}, {qWantNo, off, true, qWantNo, ""},
		{qWantNoOpposite, on, true, qWantNoOpposite, ""}, {qWantNoOpposite, off, true, qWantNo, ""},
		{qWantYes, on, true, qWantYes, ""}, {qWantYes, off, true, qWantYesOpposite, ""},
		{qWantYesOpposite, on, true, qWantYes, ""}, {qWantYesOpposite, off, true, qWantYesOpposite, ""},
	} {
		n := new(Negotiator)
		n.at(true, 9).q = r.from
		var want []byte
		if r.say != "" {
			want = []byte{IAC, verb(true, r.say == "on"), 9}
		}
		got := n.Ask(nil, true, 9, r.heard)
		if q := n.at(true, 9).q; q != r.to || !bytes.Equal(got, want) {
			t.Errorf("state %d, on is wanted: %v: state %d and % x; want %d and % x", r.from, r.heard, q, got, r.to, want)
		}
	}
}

// Names for people, and a sub-negotiation of any option with its IAC doubled.
func TestTelnetNames(t *testing.T) {
	for o, want := range map[byte]string{0: "BINARY", 1: "ECHO", 3: "SUPPRESS-GO-AHEAD", 5: "STATUS", 6: "TIMING-MARK", 24: "TERMINAL-TYPE", 31: "NAWS",
		34: "LINEMODE", 44: "COM-PORT-OPTION", 99: "option 99"} {
		if got := OptionName(o); got != want {
			t.Errorf("%d: %s", o, got)
		}
	}
	if VerbName(SE) != "SE" || VerbName(IAC) != "IAC" || VerbName(7) != "command 7" {
		t.Errorf("%s %s %s", VerbName(SE), VerbName(IAC), VerbName(7))
	}
	raw := AppendSub([]byte{1}, 24, []byte{0, IAC})
	if !bytes.Equal(raw, []byte{1, IAC, SB, 24, 0, IAC, IAC, IAC, SE}) {
		t.Errorf("% x", raw)
	}
}
