package access

import (
	"container/list"
	"net/netip"
	"strings"
	"sync"
	"time"
)

const (
	freeFailures  = 5                // before the first wait
	longestWait   = 5 * time.Minute  // after one more failure
	forgetAfter   = 15 * time.Minute // without a failure
	maxRemembered = 4096             // addresses
)

// throttle slows failed logins down per address. Its memory is bounded: the address that failed longest ago makes room.
type throttle struct {
	mu    sync.Mutex
	at    map[string]*list.Element
	order list.List // of *failures, the newest first
}

type failures struct {
	addr  string
	count int
	last  time.Time
}

func (f *failures) wait() time.Duration {
	if f.count < freeFailures {
		return 0
	}
	return min(time.Second<<min(f.count-freeFailures, 16), longestWait)
}

// begin counts an attempt as failed before it is made, so that many at once are no way around, or says how long to wait.
func (t *throttle) begin(addr string) (wait time.Duration) {
	now := time.Now()
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.at == nil {
		t.at = map[string]*list.Element{}
	}
	e := t.at[addr]
	if e == nil {
		if t.order.Len() >= maxRemembered {
			oldest := t.order.Back()
			delete(t.at, t.order.Remove(oldest).(*failures).addr)
		}
		e = t.order.PushFront(&failures{addr: addr})
		t.at[addr] = e
	}
	f := e.Value.(*failures)
	if now.Sub(f.last) > forgetAfter {
		f.count = 0
	}
	if wait := f.last.Add(f.wait()).Sub(now); f.count > 0 && wait > 0 {
		return wait
	}
	f.count++
	f.last = now
	t.order.MoveToFront(e)
	return 0
}

// undo takes back an attempt that was not made after all.
func (t *throttle) undo(addr string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if e := t.at[addr]; e != nil {
		f := e.Value.(*failures)
		f.count = max(f.count-1, 0)
	}
}

// clear forgets an address after a good login.
func (t *throttle) clear(addr string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if e := t.at[addr]; e != nil {
		t.order.Remove(e)
		delete(t.at, addr)
	}
}

// hostOf is what failures are counted by: the address without the port, for IPv6 the network of one subscriber.
func hostOf(addr string) string {
	ap, err := netip.ParseAddrPort(addr)
	if err != nil {
		return strings.ToLower(addr)
	}
	ip := ap.Addr().Unmap().WithZone("")
	if p, err := ip.Prefix(64); err == nil && ip.Is6() {
		return p.String()
	}
	return ip.String()
}
