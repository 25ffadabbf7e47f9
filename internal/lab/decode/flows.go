package decode

import (
	"cmp"
	"container/list"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/patchbay-io/patchbay/transcript"
)

// What is held while packets are put in order.
const (
	maxFlows    = 16384    // the one that was quiet for longest is ended to make room
	maxAhead    = 1 << 20  // bytes of one direction that wait for earlier ones
	maxAheadAll = 64 << 20 // the same over all flows
)

// When packets that do not come are given up: the other side has acknowledged them and so many packets of the flow or so
// much time went by since, or nobody acknowledges anything.
const (
	patientPackets = 3
	patientTime    = 50 * time.Millisecond
	silentTime     = 5 * time.Second
)

// flowKey is both ends of a flow; client is the one that the first packet came from.
type flowKey struct {
	udp  bool
	a, b netip.AddrPort
}

// flowTable puts the packets of a capture in order and writes records to out.
type flowTable struct {
	out    *[]record
	max    int // bytes of one event
	flows  map[flowKey]*flow
	byAge  *list.List // of *flow, the quietest first
	ahead  int
	lastID uint32
}

type flow struct {
	key   flowKey
	id    uint32
	age   *list.Element
	swap  bool // b is the client
	ended bool
	at    time.Duration
	sides [2]side
}

// side is what one end of a connection sends.
type side struct {
	started bool
	next    uint32 // sequence number
	ahead   []segment
	bytes   int // held in ahead
	packets int // of the flow, since ahead is not empty
	acked   uint32
	heard   bool // acked is set
	closed  bool
}

type segment struct {
	seq  uint32
	data []byte
	cut  int64
	fin  bool
	at   time.Duration
}

func newFlowTable(out *[]record, limits transcript.Limits) flowTable {
	if limits.Event <= 0 {
		limits.Event = 16 << 20
	}
	return flowTable{out: out, max: limits.Event, flows: map[flowKey]*flow{}, byAge: list.New()}
}

func (t *flowTable) put(f *flow, e transcript.Event, missing int64) {
	e.Flow = f.id
	*t.out = append(*t.out, record{Event: e, missing: missing})
}

// find is the flow of a packet and the side that sent it; create makes one when there is none.
func (t *flowTable) find(p *packetParser, udp, create, fromServer bool, at time.Duration) (*flow, int) {
	k := flowKey{udp, p.from, p.to}
	f := t.flows[k]
	back := f == nil
	if back {
		k.a, k.b = k.b, k.a
		f = t.flows[k]
	}
	if f == nil {
		if !create {
			return nil, 0
		}
		if len(t.flows) >= maxFlows {
			oldest := t.byAge.Front().Value.(*flow)
			t.finish(oldest)
			t.drop(oldest, at)
		}
		k.a, k.b = k.b, k.a
		t.lastID++
		f = &flow{key: k, id: t.lastID, swap: fromServer}
		f.age = t.byAge.PushBack(f)
		t.flows[k] = f
		back = false
		server := k.b
		client := k.a
		if f.swap {
			server, client = client, server
		}
		network := "tcp"
		if udp {
			network = "udp"
		}
		*t.out = append(*t.out, record{network: network, port: server.Port(), Event: transcript.Event{Flow: f.id, Dir: transcript.Neither, Kind: transcript.Open,
			Offset: at, Text: fmt.Sprintf("%s %s from %s", network, server, client)}})
	}
	t.byAge.MoveToBack(f.age)
	f.at = at
	if back != f.swap {
		return f, 1
	}
	return f, 0
}

// drop forgets a flow and says so.
func (t *flowTable) drop(f *flow, at time.Duration) {
	for i := range f.sides {
		t.ahead -= f.sides[i].bytes
	}
	t.byAge.Remove(f.age)
	delete(t.flows, f.key)
	*t.out = append(*t.out, record{gone: true, Event: transcript.Event{Flow: f.id, Dir: transcript.Neither, Kind: transcript.Note, Offset: at,
		Text: "the flow is over"}})
}

func dirOf(side int) transcript.Direction {
	if side == 1 {
		return transcript.FromServer
	}
	return transcript.FromClient
}

// likelyServer reports whether the sender of a packet is the server, when no handshake tells: ports that a protocol is
// known by, else the lower port.
func likelyServer(network string, p *packetParser) bool {
	from, to := knownPort(network, p.from.Port()), knownPort(network, p.to.Port())
	if from != to {
		return from
	}
	return p.from.Port() < p.to.Port()
}

func (t *flowTable) udp(p *packetParser, at time.Duration) {
	f, side := t.find(p, true, true, likelyServer("udp", p), at)
	t.put(f, transcript.Event{Dir: dirOf(side), Kind: transcript.Datagram, Offset: at, Data: p.data[:min(len(p.data), t.max)]}, 0)
	if p.cut > 0 {
		t.missing(f, side, p.cut, at)
	}
}

func (t *flowTable) tcp(p *packetParser, at time.Duration) {
	h := &p.tcp
	server := likelyServer("tcp", p)
	if h.SYN {
		server = h.ACK
		if old, _ := t.find(p, false, false, false, at); old != nil && !h.ACK && (old.ended || old.sides[0].started || old.sides[1].started) {
			t.finish(old) // the same ports again
			t.drop(old, at)
		}
	}
	f, n := t.find(p, false, h.SYN || len(p.data) > 0 || p.cut > 0, server, at)
	if f == nil || f.ended {
		return
	}
	s, other := &f.sides[n], &f.sides[1-n]
	if h.SYN {
		s.started, s.next = true, h.Seq+1
	}
	seg := segment{h.Seq, p.data, p.cut, h.FIN, at}
	if h.SYN {
		seg.seq++
	}
	if len(seg.data) > 0 || seg.cut > 0 || seg.fin {
		t.segment(f, n, seg)
	}
	if h.ACK && !h.RST {
		other.acked, other.heard = h.Ack, true
	}
	for i := range f.sides {
		if w := &f.sides[i]; len(w.ahead) > 0 {
			w.packets++
			t.patience(f, i, at)
		}
	}
	if h.RST {
		t.flush(f, n)
		t.put(f, transcript.Event{Dir: dirOf(n), Kind: transcript.Reset, Offset: at}, 0)
		f.ended = true
	}
}

// segment takes what one packet carries.
func (t *flowTable) segment(f *flow, n int, g segment) {
	s := &f.sides[n]
	if s.closed {
		return
	}
	if !s.started {
		s.started, s.next = true, g.seq
	}
	if int32(g.seq-s.next) > 0 {
		g.data = append([]byte(nil), g.data...)
		at, _ := slices.BinarySearchFunc(s.ahead, g.seq, func(a segment, seq uint32) int { return cmp.Compare(int32(a.seq-seq), 0) })
		s.ahead = slices.Insert(s.ahead, at, g)
		if len(s.ahead) == 1 {
			s.packets = 0
		}
		s.bytes += segmentCost + len(g.data)
		t.ahead += segmentCost + len(g.data)
		for s.bytes > maxAhead || t.ahead > maxAheadAll && len(s.ahead) > 0 {
			t.skip(f, n)
		}
		return
	}
	t.deliver(f, n, g)
	t.drain(f, n)
}

// segmentCost is what a held segment takes besides its data.
const segmentCost = 80

// deliver writes a segment that follows what was written, or overlaps it.
func (t *flowTable) deliver(f *flow, n int, g segment) {
	s := &f.sides[n]
	known := int64(s.next - g.seq)
	if known < int64(len(g.data)) {
		d := g.data[known:]
		s.next += uint32(len(d))
		for len(d) > 0 {
			k := min(len(d), t.max)
			t.put(f, transcript.Event{Dir: dirOf(n), Kind: transcript.Data, Offset: g.at, Data: d[:k]}, 0)
			d = d[k:]
		}
		known = int64(len(g.data))
	}
	if lost := int64(len(g.data)) + g.cut - known; g.cut > 0 && lost > 0 {
		s.next += uint32(lost)
		t.missing(f, n, lost, g.at)
	}
	if g.fin && !s.closed {
		s.closed = true
		t.put(f, transcript.Event{Dir: dirOf(n), Kind: transcript.Close, Offset: g.at}, 0)
		f.ended = f.sides[1-n].closed
	}
}

// drain delivers held segments that follow now.
func (t *flowTable) drain(f *flow, n int) {
	s := &f.sides[n]
	for len(s.ahead) > 0 && int32(s.ahead[0].seq-s.next) <= 0 {
		g := s.ahead[0]
		s.ahead = s.ahead[1:]
		s.bytes -= segmentCost + len(g.data)
		t.ahead -= segmentCost + len(g.data)
		s.packets = 0
		t.deliver(f, n, g)
	}
	if len(s.ahead) == 0 {
		s.ahead = nil
	}
}

// patience gives up on bytes that will not come any more.
func (t *flowTable) patience(f *flow, n int, at time.Duration) {
	s := &f.sides[n]
	for len(s.ahead) > 0 {
		first := &s.ahead[0]
		waited := at - first.at
		seen := s.heard && int32(s.acked-first.seq) >= 0
		if waited < silentTime && !(seen && (s.packets >= patientPackets || waited >= patientTime)) {
			return
		}
		t.skip(f, n)
	}
}

// skip tells of the bytes before the first held segment as missing, and goes on behind them.
func (t *flowTable) skip(f *flow, n int) {
	s := &f.sides[n]
	if len(s.ahead) == 0 {
		return
	}
	g := &s.ahead[0]
	t.missing(f, n, int64(g.seq-s.next), g.at)
	s.next = g.seq
	t.drain(f, n)
}

func (t *flowTable) flush(f *flow, n int) {
	for len(f.sides[n].ahead) > 0 {
		t.skip(f, n)
	}
}

func (t *flowTable) missing(f *flow, n int, lost int64, at time.Duration) {
	t.put(f, transcript.Event{Dir: dirOf(n), Kind: transcript.Note, Offset: at, Text: thousands(lost) + " bytes missing here"}, lost)
}

// finish writes what is held of a flow.
func (t *flowTable) finish(f *flow) {
	if f.ended {
		return
	}
	f.ended = true
	t.flush(f, 0)
	t.flush(f, 1)
}

// end finishes all flows, in the order in which they began.
func (t *flowTable) end() {
	all := make([]*flow, 0, len(t.flows))
	for _, f := range t.flows {
		all = append(all, f)
	}
	slices.SortFunc(all, func(a, b *flow) int { return cmp.Compare(a.id, b.id) })
	for _, f := range all {
		t.finish(f)
	}
}
