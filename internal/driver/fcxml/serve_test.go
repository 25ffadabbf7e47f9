package fcxml

import (
	"slices"
	"strconv"
	"testing"

	"github.com/patchbay-io/patchbay/protocol/fcxml"
	"github.com/patchbay-io/patchbay/protocol/fcxml/fcserver"
)

// What is said about a control that two programs are changing is held until both changes have ended; of very much, the newest is.
func TestHeldForTwoPrograms(t *testing.T) {
	p := &proxy{held: map[uint32]held{}, server: fcserver.New(nil, fcserver.Options{})}
	say := func(v string) {
		t.Helper()
		if left := p.hold([]fcxml.Assign{{ID: 5, Value: v}, {ID: 6, Value: v}}); len(left) != 1 || left[0].ID != 6 {
			t.Errorf("%s: %+v is not held", v, left)
		}
	}
	p.keep([]uint32{5})
	say("a")
	p.keep([]uint32{5})
	say("b")
	p.release("1", []uint32{5})
	say("c")
	if got := p.held[5].values; !slices.Equal(got, []string{"a", "b", "c"}) {
		t.Errorf("%q is held", got)
	}
	for n := range 100 {
		say(strconv.Itoa(n))
	}
	if got := p.held[5].values; len(got) != maxHeld || got[maxHeld-1] != "99" {
		t.Errorf("%q is held", got)
	}
	p.release("1", []uint32{5})
	if len(p.held) != 0 {
		t.Errorf("%+v is held for nobody", p.held)
	}
}
