package capture

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/patchbay-io/patchbay/transcript"
)

// Redaction replaces what a recording must not show by bytes of the same length, so that lengths and counts in the
// recording stay true. It sees what the sinks get and never what is passed on. A text that arrives in pieces is found too:
// events that may hold the beginning of one wait, in order, for at most holdTime.
type Redaction struct {
	asked     []string // the words of the header, in the order in which they were asked for
	addresses bool
	patterns  [256][]*pattern // by first byte
	known     map[string]bool // literals of addresses that are patterns already
	flows     map[uint32]*redactFlow
	held      []item
	heldBytes int
	seq       uint64 // number of held[0]
	counts    map[string]int
	scratch   []byte
}

// holdTime is how long events wait for the rest of a text; heldMax is how many bytes of them do.
const (
	holdTime = 100 * time.Millisecond
	heldMax  = 1 << 20
)

// leastPartial is how much of a text is replaced when the rest does not come in time.
const leastPartial = 4

// maxAddresses is how many addresses of clients are looked for.
const maxAddresses = 4096

type redactFlow struct {
	masked *Flow
	tails  [2]tail
	ended  int
}

// tail is the end of what one side said, as far as it may be the beginning of a text.
type tail struct {
	raw   []byte
	at    []*byte // where these bytes stand in held events; nil once those have gone
	open  bool    // at least one of them is still held
	seq   uint64  // of the event in which it begins
	since time.Duration
}

// String is the line for the header of a recording: what was replaced.
func (r *Redaction) String() string {
	if r == nil {
		return ""
	}
	return strings.Join(r.asked, ", ") + "; replaced by as many bytes"
}

// Counts says how often each kind of thing was replaced, as text; "" when nothing was. It may be asked once the relay has
// ended.
func (r *Redaction) Counts() string {
	if r == nil {
		return ""
	}
	var out []string
	for _, k := range slices.Sorted(maps.Keys(r.counts)) {
		out = append(out, fmt.Sprintf("%d × %s", r.counts[k], k))
	}
	return strings.Join(out, ", ")
}

func (r *Redaction) holding() bool { return r != nil && len(r.held) > 0 }

// pass takes recorded events and returns those that may be written now.
func (r *Redaction) pass(items []item, now time.Duration, last bool) []item {
	if r == nil {
		return items
	}
	for _, it := range items {
		r.take(it)
	}
	r.expire(now, last || r.heldBytes > heldMax)
	ready := r.seq + uint64(len(r.held))
	for _, f := range r.flows {
		for i := range f.tails {
			if t := &f.tails[i]; t.open {
				ready = min(ready, t.seq)
			}
		}
	}
	n := int(ready - r.seq)
	out := r.held[:n:n]
	r.held = slices.Clone(r.held[n:])
	r.seq = ready
	for i := range out {
		r.heldBytes -= len(out[i].event.Data)
	}
	return out
}

// take masks one event and holds it.
func (r *Redaction) take(it item) {
	f := r.flow(it.flow)
	it.flow = f.masked
	e := &it.event
	side := 0
	if e.Dir == transcript.FromServer {
		side = 1
	}
	seq := r.seq + uint64(len(r.held))
	switch e.Kind {
	case transcript.Open:
		e.Text = f.masked.Network + " " + f.masked.Upstream
	case transcript.Data:
		e.Data = bytes.Clone(e.Data)
		r.scan(&f.tails[side], e.Data, seq, e.Offset, false)
	case transcript.Datagram:
		e.Data = append([]byte{}, e.Data...)
		var t tail
		r.scan(&t, e.Data, seq, e.Offset, true)
	default:
		if e.Text != "" {
			text := []byte(e.Text)
			var t tail
			r.scan(&t, text, seq, e.Offset, true)
			e.Text = strings.ToValidUTF8(string(text), "?")
		}
		if e.Kind == transcript.Close || e.Kind == transcript.Reset {
			r.settle(&f.tails[side])
			f.tails[side] = tail{}
			if f.ended++; f.ended == 2 || e.Kind == transcript.Reset {
				r.settle(&f.tails[1-side])
				delete(r.flows, it.flow.ID)
			}
		}
	}
	r.held = append(r.held, it)
	r.heldBytes += len(e.Data)
}

// scan looks for texts in what one side said before and says now. whole says that nothing will follow.
func (r *Redaction) scan(t *tail, data []byte, seq uint64, at time.Duration, whole bool) {
	n := len(t.raw)
	b := append(append(r.scratch[:0], t.raw...), data...)
	r.scratch = b
	where := func(i int) *byte {
		if i < n {
			return t.at[i]
		}
		return &data[i-n]
	}
	i := 0
search:
	for i < len(b) {
		step := 1
		for _, p := range r.patterns[b[i]] {
			m, more := p.match(b[i:])
			if more && !whole {
				break search
			}
			if m > 0 {
				for k := i; k < i+m; k++ {
					p.mask(where(k))
				}
				r.counts[p.class]++
				step = m
				break
			}
		}
		i += step
	}
	next := tail{raw: bytes.Clone(b[i:]), seq: seq, since: at, open: i < len(b)}
	if i < n && t.open {
		next.seq, next.since = t.seq, t.since
	}
	for k := i; k < len(b); k++ {
		next.at = append(next.at, where(k))
	}
	*t = next
}

// expire lets go of texts whose rest did not come in time.
func (r *Redaction) expire(now time.Duration, all bool) {
	for _, f := range r.flows {
		for i := range f.tails {
			if t := &f.tails[i]; t.open && (all || now-t.since >= holdTime) {
				r.settle(t)
			}
		}
	}
}

// settle masks what a tail holds of a text, and lets its events go. The bytes stay, so that the rest is found when it comes.
func (r *Redaction) settle(t *tail) {
	if !t.open {
		return
	}
	t.open = false
	for i := 0; i < len(t.raw); {
		step := 1
		for _, p := range r.patterns[t.raw[i]] {
			n, more := p.match(t.raw[i:])
			if n == 0 && more && len(t.raw)-i >= leastPartial {
				n = len(t.raw) - i
			}
			if n > 0 {
				for _, at := range t.at[i : i+n] {
					p.mask(at)
				}
				r.counts[p.class]++
				step = n
				break
			}
		}
		i += step
	}
	clear(t.at)
}

// flow finds the masked twin of a flow, and adds its addresses to what is looked for.
func (r *Redaction) flow(f *Flow) *redactFlow {
	if s := r.flows[f.ID]; s != nil {
		return s
	}
	s := &redactFlow{masked: f}
	if r.addresses {
		m := *f
		host, port, ok := cutPort(f.Upstream)
		for _, a := range []netip.Addr{f.Client.Addr(), f.Server.Addr()} {
			r.addAddress(a)
		}
		if _, err := netip.ParseAddr(strings.Trim(host, "[]")); err != nil && host != "localhost" {
			r.addLiteral("address", []byte(host), maskText)
		}
		m.Client = netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, byte(f.ID%250 + 1)}), f.Client.Port())
		if f.Server.IsValid() {
			m.Server = netip.AddrPortFrom(netip.AddrFrom4([4]byte{198, 51, 100, 1}), f.Server.Port())
		}
		m.Upstream = "198.51.100.1"
		if ok {
			m.Upstream += ":" + port
		}
		s.masked = &m
	}
	r.flows[f.ID] = s
	return s
}

func cutPort(addr string) (host, port string, ok bool) {
	i := strings.LastIndexByte(addr, ':')
	if i < 0 {
		return addr, "", false
	}
	return addr[:i], addr[i+1:], true
}

// addAddress looks for an address as text and as bytes. Loopback and the like name nobody, and four bytes that stand for
// them mean other things.
func (r *Redaction) addAddress(a netip.Addr) {
	if !a.IsValid() || a.IsLoopback() || a.IsUnspecified() {
		return
	}
	r.addLiteral("address", a.AsSlice(), maskZero)
	if a.Is6() {
		r.addLiteral("address", []byte(a.String()), maskText)
		r.addLiteral("address", []byte(strings.ToUpper(a.String())), maskText)
	}
}

func (r *Redaction) addLiteral(class string, b []byte, mask func(*byte)) {
	if len(b) == 0 || r.known[string(b)] || len(r.known) >= maxAddresses {
		return
	}
	r.known[string(b)] = true
	r.patterns[b[0]] = append(r.patterns[b[0]], literal(class, b, mask))
	// longer ones first, so that a text that contains another is replaced whole
	slices.SortStableFunc(r.patterns[b[0]], func(a, b *pattern) int { return cmp.Compare(b.size, a.size) })
}
