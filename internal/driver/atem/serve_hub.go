package atem

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/protocol/atem"
	"github.com/patchbay-io/patchbay/protocol/openswitcher"
)

// hub is one switcher as native clients see it: the dump from memory, then everything that it says, byte for byte.
//
// Locks are taken in this order: the session's, then the hub's, then those of connections. So nothing here that holds the
// hub's lock asks the session for anything but to send.
type hub struct {
	proxy *proxy
	name  string
	label string

	mu      sync.Mutex
	up      *session // nil while there is none
	state   *atem.State
	clients map[*client]bool
	locks   map[uint16]holder // by store
	xfers   transfers
	asked   map[atem.Code]time.Time // when a question went to the switcher

	dumpOf  uint64 // the revision that the dumps are of
	dumpUDP []*parcel
	dumpTCP []*parcel

	metering sync.Mutex // one change of the subscription at a time; taken before everything else
}

// parcel is a payload in the forms in which transports want it; those are made once for all clients. The hub's lock guards it.
type parcel struct {
	payload []byte
	framed  [][]byte
}

// packets are those for TCP. A payload that came over one of the transports has fields that fit.
func (p *parcel) packets() [][]byte {
	if p.framed == nil {
		p.framed, _ = openswitcher.Packets(p.payload)
	}
	return p.framed
}

func parcels(payloads [][]byte) []*parcel {
	out := make([]*parcel, len(payloads))
	for i, p := range payloads {
		out[i] = &parcel{payload: p}
	}
	return out
}

// follow keeps the hub true: each session of the upstream for as long as it lives, and no client outlives it.
func (h *hub) follow(ctx context.Context, up driver.Upstream) {
	for {
		s, gone, err := up.Session(ctx)
		if err != nil {
			return // ctx has ended
		}
		own, ok := s.(*session)
		if !ok {
			h.proxy.env.Log.Error("cannot serve programs", "error", fmt.Errorf("%s is no switcher", h.name))
			select {
			case <-gone:
			case <-ctx.Done():
				return
			}
			continue
		}
		stop := h.attach(own)
		select {
		case <-gone:
		case <-own.link.Done():
		case <-ctx.Done():
		}
		stop()
		h.detach()
		select {
		case <-gone: // the gateway has seen it too: the next session is another one
		case <-ctx.Done():
			return
		}
	}
}

// attach begins with a session: its state first, then what it says.
func (h *hub) attach(s *session) (stop func()) {
	return s.Follow(func(state *atem.State) {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.up, h.state = s, state
		h.locks, h.xfers, h.asked = map[uint16]holder{}, transfers{}, map[atem.Code]time.Time{}
		h.dumpUDP, h.dumpTCP = nil, nil
	}, h.feed)
}

// detach tells every client that the switcher is gone.
func (h *hub) detach() {
	h.mu.Lock()
	h.up, h.state = nil, nil
	all := make([]*client, 0, len(h.clients))
	for cl := range h.clients {
		all = append(all, cl)
	}
	h.mu.Unlock()
	for _, cl := range all {
		cl.peer.close()
	}
}

// join makes a client one of those who hear everything, from the dump on. It reports whether there is a switcher.
func (h *hub) join(cl *client) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.up == nil {
		return false
	}
	if rev := h.state.Revision(); h.dumpOf != rev {
		h.dumpOf, h.dumpUDP, h.dumpTCP = rev, nil, nil
	}
	h.clients[cl] = true
	cl.peer.dump(h)
	return true
}

// dump is the state as payloads of at most limit bytes, kept in keep until the state is another one. The lock is held.
func (h *hub) dump(keep *[]*parcel, limit int) []*parcel {
	if *keep == nil {
		*keep = parcels(h.state.Dump(limit))
	}
	return *keep
}

// version is the protocol of the switcher; 0 while there is none.
func (h *hub) version() atem.Version {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.state == nil {
		return 0
	}
	return h.state.Version()
}

// leave takes a client out, and gives back what it held.
func (h *hub) leave(cl *client) {
	h.mu.Lock()
	delete(h.clients, cl)
	h.release(cl)
	h.mu.Unlock()
	h.meter(func() { cl.meters = false })
}

// meter changes who wants levels, and keeps one subscription upstream while anybody does.
func (h *hub) meter(change func()) {
	h.metering.Lock()
	defer h.metering.Unlock()
	h.mu.Lock()
	change()
	on := false
	for cl := range h.clients {
		on = on || cl.meters
	}
	up := h.up
	h.mu.Unlock()
	if up != nil {
		up.wantMeters(forClients, on)
	}
}

// kind is who a field of the switcher is for.
type kind uint8

const (
	forAll   kind = iota
	forMeter      // those who asked for levels
	forOwner      // who has the lock
	forXfer       // whose transfer it is
)

func kindOf(c atem.Code) kind {
	switch c {
	case atem.CodeAMLv, atem.CodeFMLv, atem.CodeFDLv:
		return forMeter
	case atem.CodeLKOB:
		return forOwner
	case atem.CodeFTCD, atem.CodeFTDa, atem.CodeFTUA, atem.CodeFTDC, atem.CodeFTDE:
		return forXfer
	}
	return forAll
}

// feed takes a payload of the switcher to those whom it concerns. It is called for one payload after the other.
func (h *hub) feed(payload []byte) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.state == nil {
		return
	}
	plain := true
	for f, err := range atem.Fields(payload) {
		if err != nil {
			break
		}
		h.state.Apply(&f)
		switch {
		case f.Code == atem.CodeLKST:
			h.lockState(&f)
		case kindOf(f.Code) != forAll:
			plain = false
		}
	}
	if plain {
		p := &parcel{payload: payload}
		for cl := range h.clients {
			cl.peer.send(p)
		}
		return
	}
	h.sort(payload)
}

// sort is feed for a payload of which not everything is for everybody. What a client gets of it stays one packet.
func (h *hub) sort(payload []byte) {
	var common, metered []byte
	for f, err := range atem.Fields(payload) {
		if err != nil {
			break
		}
		switch kindOf(f.Code) {
		case forAll:
			common, metered = appendField(common, &f), appendField(metered, &f)
		case forMeter:
			metered = appendField(metered, &f)
		case forOwner:
			h.lockObtained(&f)
		case forXfer:
			h.fromSwitcher(&f)
		}
	}
	c, m := &parcel{payload: common}, &parcel{payload: metered}
	for cl := range h.clients {
		switch {
		case cl.meters && len(metered) > 0:
			cl.peer.send(m)
		case len(common) > 0:
			cl.peer.send(c)
		}
	}
}

// appendField is Append for a field that has come in a packet and so fits one.
func appendField(b []byte, f *atem.Field) []byte {
	b, _ = f.Append(b)
	return b
}
