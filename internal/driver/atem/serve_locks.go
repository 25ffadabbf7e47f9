package atem

import (
	"encoding/binary"
	"slices"

	"github.com/patchbay-io/patchbay/protocol/atem"
)

// A switcher knows one session, so it is here that its locks and transfers belong to one client or another.

// noLockNeeded is the store of macros and labels, which are sent without a lock.
const noLockNeeded = 0xffff

// storeOf is the store that a lock is about.
func storeOf(f *atem.Field) uint16 {
	if len(f.Body) < 2 {
		return noLockNeeded
	}
	return binary.BigEndian.Uint16(f.Body)
}

// lock is what a client's LOCK or PLCK comes to: whether it is passed on. A store has one owner at a time; whoever asks for a
// store that somebody has is told again that it is taken. The hub's lock is held.
func (h *hub) lock(cl *client, f *atem.Field) bool {
	store := storeOf(f)
	owner := h.locks[store].cl
	var l atem.Lock
	release := f.Code == atem.CodeLOCK && l.Parse(h.state.Version(), f.Body) == nil && !l.Locked
	switch {
	case owner != nil && owner != cl:
		if !release {
			taken := atem.LockState{Store: store, Locked: true}
			cl.peer.send(&parcel{payload: taken.Append(nil, h.state.Version())})
		}
		return false
	case release && owner == nil:
		return false
	case release:
		delete(h.locks, store)
	default:
		h.locks[store] = holder{cl: cl, once: f.Code == atem.CodePLCK}
	}
	return true
}

// holder is who has a lock, or has asked for it.
type holder struct {
	cl   *client
	once bool // the switcher takes it back after one transfer
	has  bool // the switcher has given it
}

// lockObtained tells the owner that it has the lock.
func (h *hub) lockObtained(f *atem.Field) {
	store := storeOf(f)
	if l := h.locks[store]; l.cl != nil {
		l.has = true
		h.locks[store] = l
		l.cl.peer.send(&parcel{payload: appendField(nil, f)})
	}
}

// lockState forgets the owner of a store that the switcher has released. Who has only asked for it is no owner yet: then it is
// the release by the owner before.
func (h *hub) lockState(f *atem.Field) {
	var l atem.LockState
	if l.Parse(h.state.Version(), f.Body) == nil && !l.Locked && h.locks[storeOf(f)].has {
		delete(h.locks, storeOf(f))
	}
}

// release gives back what a client held that is gone: its transfers are aborted, its locks are opened. The hub's lock is held.
func (h *hub) release(cl *client) {
	var payload []byte
	for _, id := range h.xfers.drop(cl) {
		payload = (&atem.AbortTransfer{Transfer: id}).Append(payload, 0)
	}
	for store, owner := range h.locks {
		if owner.cl == cl {
			delete(h.locks, store)
			payload = (&atem.Lock{Store: store}).Append(payload, 0)
		}
	}
	if h.up != nil && len(payload) > 0 {
		_ = h.up.SendRaw(payload) // a link that is over has no locks
	}
}

// transfers are those that run, with the numbers that their clients and the switcher know them by. The zero value is ready.
type transfers struct {
	all  []*transfer
	last uint16
}

type transfer struct {
	cl           *client
	theirs, ours uint16
	store        uint16
}

// maxTransfers is how many run at a time; a client needs one.
const maxTransfers = 64

// withID is a field of a transfer with another number; all of them have it in the first two bytes.
func withID(f *atem.Field, id uint16) *atem.Field {
	out := *f
	out.Body = slices.Clone(f.Body)
	binary.BigEndian.PutUint16(out.Body, id)
	return &out
}

// fromClient is a field of a transfer as the switcher may have it; nil: it is not passed on. A new transfer needs the lock of
// its store. The hub's lock is held.
func (h *hub) fromClient(cl *client, f *atem.Field) *atem.Field {
	if len(f.Body) < 4 {
		return nil
	}
	id, t := binary.BigEndian.Uint16(f.Body), &h.xfers
	if f.Code == atem.CodeFTSD || f.Code == atem.CodeFTSU {
		store := binary.BigEndian.Uint16(f.Body[2:])
		if store != noLockNeeded && h.locks[store].cl != cl || len(t.all) >= maxTransfers {
			return nil
		}
		t.forget(cl, id)
		t.last = t.free(t.last)
		t.all = append(t.all, &transfer{cl, id, t.last, store})
		return withID(f, t.last)
	}
	for _, x := range t.all {
		if x.cl == cl && x.theirs == id {
			out := withID(f, x.ours)
			if f.Code == atem.CodeFTAD {
				t.forget(cl, id)
			}
			return out
		}
	}
	return nil
}

// free is the next number that no transfer has.
func (t *transfers) free(last uint16) uint16 {
	for {
		last++
		if !slices.ContainsFunc(t.all, func(x *transfer) bool { return x.ours == last }) {
			return last
		}
	}
}

func (t *transfers) forget(cl *client, theirs uint16) {
	t.all = slices.DeleteFunc(t.all, func(x *transfer) bool { return x.cl == cl && x.theirs == theirs })
}

// drop forgets the transfers of a client and returns the switcher's numbers of them.
func (t *transfers) drop(cl *client) (ours []uint16) {
	t.all = slices.DeleteFunc(t.all, func(x *transfer) bool {
		if x.cl == cl {
			ours = append(ours, x.ours)
		}
		return x.cl == cl
	})
	return ours
}

// fromSwitcher takes a field of a transfer to the client whose transfer it is. The hub's lock is held.
func (h *hub) fromSwitcher(f *atem.Field) {
	if len(f.Body) < 2 {
		return
	}
	id, t := binary.BigEndian.Uint16(f.Body), &h.xfers
	for _, x := range t.all {
		if x.ours != id {
			continue
		}
		x.cl.peer.send(&parcel{payload: appendField(nil, withID(f, x.theirs))})
		if f.Code == atem.CodeFTDC || f.Code == atem.CodeFTDE {
			t.forget(x.cl, x.theirs)
			if l := h.locks[x.store]; l.cl == x.cl && l.once {
				delete(h.locks, x.store)
			}
		}
		return
	}
}
