package atem

import (
	"bytes"
	"container/heap"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

// wireTest is two sessions and the network between them, in simulated time.
type wireTest struct {
	t      *testing.T
	now    time.Time
	client *Session
	server *Session
	got    [2][][]byte // payloads that arrived at the client, at the server; without pings
	pings  [2]int
	sent   [2]int // datagrams
	flight deliveries
	n      int
	// lossy decides when copies of a datagram arrive; nil: one, after a millisecond.
	lossy func(toServer bool, datagram []byte) []time.Duration
	log   [2][][]byte // datagrams sent by the client, by the server, when keep is set
	keep  bool
}

type delivery struct {
	at       time.Time
	n        int
	toServer bool
	b        []byte
}

type deliveries []delivery

func (d deliveries) Len() int { return len(d) }
func (d deliveries) Less(i, j int) bool {
	return d[i].at.Before(d[j].at) || d[i].at.Equal(d[j].at) && d[i].n < d[j].n
}
func (d deliveries) Swap(i, j int) { d[i], d[j] = d[j], d[i] }
func (d *deliveries) Push(x any)   { *d = append(*d, x.(delivery)) }
func (d *deliveries) Pop() any {
	x := (*d)[len(*d)-1]
	*d = (*d)[:len(*d)-1]
	return x
}

func newWire(t *testing.T, o SessionOptions) *wireTest {
	w := &wireTest{t: t, now: time.Unix(1000, 0)}
	w.client = OpenSession(w.now, 0x1234, o)
	return w
}

// flush sends what both sides have to send.
func (w *wireTest) flush() {
	for i, s := range []*Session{w.client, w.server} {
		if s == nil {
			continue
		}
		for {
			b, ok := s.Next(w.now, nil)
			if !ok {
				break
			}
			w.sent[i]++
			if w.keep {
				w.log[i] = append(w.log[i], b)
			}
			delays := []time.Duration{time.Millisecond}
			if w.lossy != nil {
				delays = w.lossy(i == 0, b)
			}
			for _, d := range delays {
				w.n++
				heap.Push(&w.flight, delivery{w.now.Add(d), w.n, i == 0, b})
			}
		}
	}
}

// until runs the wire until done, or fails after limit.
func (w *wireTest) until(limit time.Duration, done func() bool) {
	w.t.Helper()
	end := w.now.Add(limit)
	for w.flush(); !done(); w.flush() {
		next := end
		for _, s := range []*Session{w.client, w.server} {
			if s != nil && !s.Deadline().IsZero() && s.Deadline().Before(next) {
				next = s.Deadline()
			}
		}
		if len(w.flight) > 0 && !next.Before(w.flight[0].at) {
			d := heap.Pop(&w.flight).(delivery)
			w.now = d.at
			w.deliver(d)
			continue
		}
		if !next.Before(end) {
			w.now = end
			w.flush()
			if !done() {
				w.t.Fatalf("not after %v: client %v (%v), server %+v", limit, w.client.Phase(), w.client.Err(), w.server)
			}
			return
		}
		if next.Before(w.now) {
			w.t.Fatalf("a deadline in the past that nothing comes of: %v", w.now.Sub(next))
		}
		w.now = next
	}
}

func (w *wireTest) run(d time.Duration) {
	end := w.now.Add(d)
	w.until(d, func() bool { return !w.now.Before(end) })
}

func (w *wireTest) deliver(d delivery) {
	p, err := ParsePacket(d.b)
	if err != nil {
		w.t.Fatal(err)
	}
	side, s := 0, w.client
	if d.toServer {
		side, s = 1, w.server
		if s == nil {
			if p.Flags&FlagHandshake != 0 && p.Handshake().Step == StepOpen {
				w.server = AcceptSession(w.now, p.Session, 0x17d, SessionOptions{})
			}
			return
		}
	}
	payload, fresh := s.Receive(w.now, &p)
	switch {
	case fresh && len(payload) > 0:
		w.got[side] = append(w.got[side], payload)
	case fresh:
		w.pings[side]++
	}
}

func (w *wireTest) open() {
	w.t.Helper()
	w.until(3*time.Second, func() bool {
		return w.client.Phase() == PhaseUp && w.server != nil && w.server.Phase() == PhaseUp && w.client.ID() != 0
	})
}

func (w *wireTest) queue(s *Session, payload []byte) {
	w.t.Helper()
	if err := s.Queue(w.now, payload); err != nil {
		w.t.Fatal(err)
	}
}

func number(i int) []byte { return binary.BigEndian.AppendUint32([]byte("xxxx"), uint32(i)) }

// The opening is byte for byte that of the maker's software and a switcher, but for the two bytes without meaning.
func TestOpeningBytes(t *testing.T) {
	w := newWire(t, SessionOptions{})
	w.keep = true
	w.open()
	w.queue(w.server, unhex(t, "00 0c cf 60 5f 76 65 72 00 02 00 1e"))
	w.queue(w.client, unhex(t, "00 0c 00 00 43 50 67 49 00 00 00 03"))
	w.run(20 * time.Millisecond)
	for side, want := range [2][]string{
		{"10 14 12 34 00 00 00 00 00 00 00 00 01 00 00 00 00 00 00 00", "80 0c 12 34 00 00 00 00 00 00 00 00",
			"08 18 81 7d 00 00 00 00 00 00 00 01 00 0c 00 00 43 50 67 49 00 00 00 03", "80 0c 81 7d 00 01 00 00 00 00 00 00",
			"80 0c 81 7d 00 02 00 00 00 00 00 00"},
		{"10 14 12 34 00 00 00 00 00 00 00 00 02 00 01 7d 00 00 00 00", "08 0c 81 7d 00 00 00 00 00 00 00 01",
			"08 18 81 7d 00 00 00 00 00 00 00 02 00 0c cf 60 5f 76 65 72 00 02 00 1e", "80 0c 81 7d 00 01 00 00 00 00 00 00"},
	} {
		for i, x := range want {
			if i >= len(w.log[side]) || !bytes.Equal(w.log[side][i], unhex(t, x)) {
				t.Fatalf("side %d, packet %d: %x, want %s", side, i, w.log[side], x)
			}
		}
	}
}

// Everything arrives once and in order over a network that loses, repeats and reorders, both ways, for a minute.
func TestLossyMinute(t *testing.T) {
	for seed := range uint64(4) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 5))
			w := newWire(t, SessionOptions{AckDelay: 5 * time.Millisecond})
			w.lossy = func(bool, []byte) []time.Duration {
				var out []time.Duration
				if r.Float64() >= 0.05 {
					out = append(out, time.Duration(1+r.IntN(3))*time.Millisecond)
				}
				if r.Float64() < 0.05 {
					out = append(out, time.Duration(1+r.IntN(30))*time.Millisecond)
				}
				return out
			}
			w.open()
			const n = 1500
			for i := range n {
				w.queue(w.server, number(i))
				if i%3 == 0 {
					w.queue(w.client, number(i/3))
				}
				w.run(40 * time.Millisecond)
			}
			w.run(2 * time.Second)
			for side, want := range [2]int{n, n / 3} {
				if len(w.got[side]) != want {
					t.Fatalf("side %d has %d of %d", side, len(w.got[side]), want)
				}
				for i, b := range w.got[side] {
					if !bytes.Equal(b, number(i)) {
						t.Fatalf("side %d has %x in place %d", side, b, i)
					}
				}
			}
			if st := w.server.Stats(); st.Resent == 0 || st.Resent > st.Sent || w.client.Stats().Gaps == 0 || w.client.Stats().Repeated == 0 {
				t.Errorf("server %+v, client %+v", st, w.client.Stats())
			}
			if rtt := w.server.Stats().RTT; rtt < 2*time.Millisecond || rtt > 30*time.Millisecond {
				t.Errorf("round trip %v", rtt)
			}
		})
	}
}

// Numbers have 15 bits, and go on behind the last one.
func TestNumbersWrap(t *testing.T) {
	w := newWire(t, SessionOptions{})
	w.open()
	w.run(50 * time.Millisecond)
	if w.client.Waiting()+w.server.Waiting()+len(w.flight) != 0 {
		t.Fatal("something is still on its way")
	}
	for _, s := range []*Session{w.client, w.server} {
		s.last, s.taken = 0x7f80, 0x7f80
	}
	const n = 500
	for i := 0; i < n; i += 50 {
		for k := range 50 {
			w.queue(w.server, number(i+k))
			w.queue(w.client, number(i+k))
		}
		w.run(5 * time.Millisecond)
	}
	for side := range w.got {
		if len(w.got[side]) != n || !bytes.Equal(w.got[side][n-1], number(n-1)) {
			t.Errorf("side %d got %d of %d", side, len(w.got[side]), n)
		}
	}
	if st := w.server.Stats(); st.Resent+st.Gaps+st.Repeated != 0 {
		t.Errorf("%+v", st)
	}
	if w.server.last > NumberMask || w.server.taken > NumberMask {
		t.Errorf("numbers %x, %x", w.server.last, w.server.taken)
	}
}

// up is a session that is up, without a peer.
func up(t *testing.T, o SessionOptions) (*Session, time.Time) {
	now := time.Unix(1000, 0)
	s := OpenSession(now, 0x1234, o)
	give(s, now, &Packet{Flags: FlagHandshake, Session: 0x1234, Payload: []byte{2, 0, 1, 0x7d, 0, 0, 0, 0}})
	drain(s, now)
	if s.Phase() != PhaseUp || s.ID() != 0x817d {
		t.Fatalf("%v %x", s.Phase(), s.ID())
	}
	return s, now
}

func give(s *Session, now time.Time, p *Packet) bool {
	_, fresh := s.Receive(now, p)
	return fresh
}

// drain is what the session has to send now.
func drain(s *Session, now time.Time) (out []Packet) {
	for {
		b, ok := s.Next(now, nil)
		if !ok {
			return out
		}
		p, err := ParsePacket(b)
		if err != nil {
			panic(err)
		}
		out = append(out, p)
	}
}

// Which number counts as next, as ahead and as had before, measured on switchers and on the maker's software.
func TestWhichNumberIsWhich(t *testing.T) {
	for _, row := range []struct {
		taken, number uint16
		want          string
	}{
		{0, 1, "next"}, {0, 0, "before"}, {0, 2, "ahead"}, {0, 0x3fff, "ahead"}, {0, 0x4000, "before"}, {0, 0x7fff, "before"},
		{1, 2, "next"}, {1, 1, "before"}, {1, 0, "before"}, {1, 0x4000, "ahead"}, {1, 0x4001, "before"},
		{0x7ffe, 0x7fff, "next"}, {0x7fff, 0, "next"}, {0x7fff, 0x8000, "next"}, {0x7fff, 1, "ahead"}, {0, 0x7ffe, "before"}, {0x7fff, 0x7fff, "before"},
	} {
		s, now := up(t, SessionOptions{})
		s.taken = row.taken
		fresh := give(s, now, &Packet{Flags: FlagNumbered, Session: 0x817d, Number: row.number})
		out := drain(s, now)
		if len(out) != 1 {
			t.Fatalf("%x after %x: %v", row.number, row.taken, out)
		}
		switch p := out[0]; row.want {
		case "next":
			if !fresh || p.Flags != FlagAck || p.Ack != row.number&NumberMask {
				t.Errorf("%x after %x: fresh %v, %+v", row.number, row.taken, fresh, p)
			}
		case "before":
			if fresh || p.Flags != FlagAck || p.Ack != row.taken {
				t.Errorf("%x after %x: fresh %v, %+v", row.number, row.taken, fresh, p)
			}
		case "ahead":
			if fresh || p.Flags != FlagWanted || p.Wanted != (row.taken+1)&NumberMask {
				t.Errorf("%x after %x: fresh %v, %+v", row.number, row.taken, fresh, p)
			}
		}
	}
}

// A burst behind a gap asks once, and asks again when the packet does not come.
func TestGapAsksOnce(t *testing.T) {
	s, now := up(t, SessionOptions{})
	ahead := func(n uint16) int {
		give(s, now, &Packet{Flags: FlagNumbered, Session: 0x817d, Number: n})
		return len(drain(s, now))
	}
	if n := ahead(2) + ahead(3) + ahead(4); n != 1 {
		t.Errorf("asked %d times", n)
	}
	now = now.Add(20 * time.Millisecond)
	if n := ahead(5) + ahead(6); n != 1 {
		t.Errorf("asked again %d times", n)
	}
	give(s, now, &Packet{Flags: FlagNumbered, Session: 0x817d, Number: 1})
	drain(s, now)
	if n := ahead(3); n != 1 {
		t.Errorf("asked %d times for the next gap", n)
	}
}

// A request is answered from the packet that it names on, and repeats of it are not.
func TestRequestIsAnswered(t *testing.T) {
	s, now := up(t, SessionOptions{})
	for i := range 5 {
		s.Queue(now, number(i))
	}
	if out := drain(s, now); len(out) != 5 || out[4].Number != 5 {
		t.Fatalf("%v", out)
	}
	numbers := func(wanted uint16) (out []uint16) {
		give(s, now, &Packet{Flags: FlagWanted, Session: 0x817d, Wanted: wanted})
		for _, p := range drain(s, now) {
			if p.Flags != FlagNumbered|FlagResent {
				t.Errorf("%+v", p)
			}
			out = append(out, p.Number)
		}
		return out
	}
	now = now.Add(50 * time.Millisecond)
	if got := fmt.Sprint(numbers(3)); got != "[3 4 5]" {
		t.Error(got)
	}
	if got := fmt.Sprint(numbers(3), numbers(6), numbers(0), numbers(0x4000)); got != "[] [] [] []" {
		t.Error(got)
	}
	now = now.Add(50 * time.Millisecond)
	if got := fmt.Sprint(numbers(0x8002)); got != "[2 3 4 5]" { // the upper bit has no meaning
		t.Error(got)
	}
	// An acknowledgement in between takes what it covers out of the answer.
	now = now.Add(50 * time.Millisecond)
	s.Receive(now, &Packet{Flags: FlagWanted, Session: 0x817d, Wanted: 1})
	s.Receive(now, &Packet{Flags: FlagAck, Session: 0x817d, Ack: 3})
	if out := drain(s, now); len(out) != 2 || out[0].Number != 4 {
		t.Errorf("%+v", out)
	}
}

// Acknowledgements are cumulative; one of what is not on its way says nothing.
func TestAcknowledgements(t *testing.T) {
	s, now := up(t, SessionOptions{})
	for i := range 4 {
		s.Queue(now, number(i))
	}
	drain(s, now)
	for _, row := range []struct {
		ack  uint16
		left int
	}{{0, 4}, {5, 4}, {0x4002, 4}, {0x7fff, 4}, {2, 2}, {2, 2}, {1, 2}, {5, 2}, {4, 0}, {4, 0}, {5, 0}} {
		s.Receive(now, &Packet{Flags: FlagAck, Session: 0x817d, Ack: row.ack})
		if s.Waiting() != row.left {
			t.Errorf("after %x %d wait, want %d", row.ack, s.Waiting(), row.left)
		}
	}
}

// A packet without an answer is sent again after 200 ms, ten times, and then the session is over, with the peer told.
func TestUnacknowledged(t *testing.T) {
	s, now := up(t, SessionOptions{})
	began := now
	s.Queue(now, number(1))
	drain(s, now)
	for i := 1; i <= MaxResends; i++ {
		if s.Deadline().Sub(now) != ResendAfter {
			t.Fatalf("resend %d is due after %v", i, s.Deadline().Sub(now))
		}
		if now = s.Deadline(); len(drain(s, now.Add(-1))) != 0 {
			t.Fatal("too early")
		}
		if out := drain(s, now); len(out) != 1 || out[0].Flags != FlagNumbered|FlagResent || out[0].Number != 1 {
			t.Fatalf("resend %d: %+v", i, out)
		}
	}
	now = s.Deadline()
	out := drain(s, now)
	if len(out) != 1 || out[0].Handshake().Step != StepClosing || out[0].Session != 0x817d || s.Phase() != PhaseClosing || !errors.Is(s.Err(), ErrUnacknowledged) {
		t.Fatalf("%v %v %+v", s.Phase(), s.Err(), out)
	}
	if took := now.Sub(began); took != 2200*time.Millisecond {
		t.Errorf("over after %v", took)
	}
}

// Five seconds without a packet are the end, even when nothing is to be acknowledged; pings keep both sides alive.
func TestSilenceAndPings(t *testing.T) {
	w := newWire(t, SessionOptions{})
	w.open()
	w.run(time.Minute)
	if w.client.Phase() != PhaseUp || w.server.Phase() != PhaseUp || w.pings[0] < 110 || w.pings[0] > 121 || w.pings[1] < 110 || w.pings[1] > 121 {
		t.Fatalf("%v, %v, pings %v", w.client.Phase(), w.server.Phase(), w.pings)
	}
	// A switcher that acknowledges and says nothing else is there; one that says nothing is not.
	s, now := up(t, SessionOptions{})
	for range 100 {
		now = now.Add(250 * time.Millisecond)
		for _, p := range drain(s, now) {
			s.Receive(now, &Packet{Flags: FlagAck, Session: 0x817d, Ack: p.Number})
		}
	}
	if s.Phase() != PhaseUp {
		t.Fatalf("%v %v", s.Phase(), s.Err())
	}
	heard := now
	s.queue, s.sent = nil, 0
	for s.Phase() == PhaseUp {
		now = s.Deadline()
		drain(s, now)
		s.queue, s.sent = nil, 0 // as if it had acknowledged
	}
	if now.Sub(heard) != SilenceLimit || !errors.Is(s.Err(), ErrSilent) {
		t.Errorf("%v after %v", s.Err(), now.Sub(heard))
	}
}

// How sessions begin and end, by the packets that come.
func TestOpeningAndClosing(t *testing.T) {
	shake := func(session uint16, step Step, given uint16) *Packet {
		b := Handshake{Step: step, Given: given}.Append(nil, session, 0)
		p, _ := ParsePacket(b)
		return &p
	}
	steps := func(s *Session, now time.Time) (out []string) {
		for _, p := range drain(s, now) {
			word := p.Flags.String()
			if p.Flags&FlagHandshake != 0 {
				word = fmt.Sprintf("%v", p.Handshake().Step)
				if p.Flags&FlagResent != 0 {
					word += " again"
				}
			}
			out = append(out, fmt.Sprintf("%s %x", word, p.Session))
		}
		return out
	}
	now := time.Unix(1000, 0)
	client := func() *Session { s := OpenSession(now, 0x9234, SessionOptions{}); drain(s, now); return s }
	server := func() *Session { s := AcceptSession(now, 0x1234, 5, SessionOptions{}); drain(s, now); return s }
	pass := func(s *Session, d time.Duration) *Session {
		for end := now.Add(d); ; {
			by := s.Deadline()
			if by.IsZero() || by.After(end) {
				return s
			}
			drain(s, by)
		}
	}
	for _, row := range []struct {
		name  string
		s     *Session
		in    []*Packet
		out   string
		phase Phase
		err   error
	}{
		{"an accept is acknowledged with the client's number", client(), []*Packet{shake(0x1234, StepAccept, 5)}, "[ack 1234]", PhaseUp, nil},
		{"a second accept too", client(), []*Packet{shake(0x1234, StepAccept, 5), shake(0x1234, StepAccept, 5)}, "[ack 1234]", PhaseUp, nil},
		{"an accept for somebody else", client(), []*Packet{shake(0x1235, StepAccept, 5)}, "[]", PhaseOpening, nil},
		{"a reject", client(), []*Packet{shake(0x1234, StepReject, 0)}, "[]", PhaseOver, ErrFull},
		{"a reject for somebody else", client(), []*Packet{shake(0x1235, StepReject, 0)}, "[]", PhaseOpening, nil},
		{"a late reject", client(), []*Packet{shake(0x1234, StepAccept, 5), shake(0x1234, StepReject, 0)}, "[ack 1234]", PhaseUp, nil},
		{"start over", client(), []*Packet{shake(0x1234, StepClosing, 0)}, "[]", PhaseOver, ErrPeerClosed},
		{"an answer that was never asked for", client(), []*Packet{shake(0x1234, StepAccept, 5), shake(0x8005, StepClosed, 0)}, "[ack 1234]", PhaseUp, nil},
		{"the switcher closes", client(), []*Packet{shake(0x1234, StepAccept, 5), shake(0x8005, StepClosing, 0)}, "[closed 8005]", PhaseOver, ErrPeerClosed},
		{"and closes again", client(), []*Packet{shake(0x1234, StepAccept, 5), shake(0x8005, StepClosing, 0), shake(0x8005, StepClosing, 0)}, "[closed 8005]", PhaseOver, ErrPeerClosed},
		{"closing without the upper bit", client(), []*Packet{shake(0x1234, StepAccept, 5), shake(0x0005, StepClosing, 0)}, "[closed 8005]", PhaseOver, ErrPeerClosed},
		{"the client opens again", server(), []*Packet{shake(0x1234, StepOpen, 0)}, "[accept again 1234]", PhaseOpening, nil},
		{"the accept is acknowledged", server(), []*Packet{{Flags: FlagAck, Session: 0x1234}}, "[numbered 8005]", PhaseUp, nil},
		{"the client is ahead", server(), []*Packet{{Flags: FlagNumbered, Session: 0x8005, Number: 1}}, "[numbered+ack 8005]", PhaseUp, nil},
		{"the client closes before it is open", server(), []*Packet{shake(0x8005, StepClosing, 0)}, "[closed 8005]", PhaseOver, ErrPeerClosed},
		{"a stranger's packets", server(), []*Packet{{Flags: FlagAck, Session: 0x4321}, shake(0x8006, StepClosing, 0)}, "[]", PhaseOpening, nil},
		{"an accept sent to a switcher", server(), []*Packet{shake(0x1234, StepAccept, 7)}, "[]", PhaseOpening, nil},
		{"no accept comes", pass(client(), 2200*time.Millisecond), nil, "[]", PhaseOver, ErrNoAnswer},
		{"and before that", pass(client(), 2199*time.Millisecond), nil, "[]", PhaseOpening, nil},
		{"no acknowledgement of the accept comes", pass(server(), 2600*time.Millisecond), nil, "[]", PhaseOver, ErrNoAnswer},
	} {
		t.Run(row.name, func(t *testing.T) {
			for _, p := range row.in {
				row.s.Receive(now, p)
			}
			if out := fmt.Sprint(steps(row.s, now)); out != row.out {
				t.Errorf("sends %s, want %s", out, row.out)
			}
			if row.s.Phase() != row.phase || !errors.Is(row.s.Err(), row.err) {
				t.Errorf("%v %v, want %v %v", row.s.Phase(), row.s.Err(), row.phase, row.err)
			}
			if row.phase == PhaseOver && (!row.s.Deadline().IsZero() || row.s.Queue(now, nil) != ErrEnded) {
				t.Error("a session that is over wants something")
			}
		})
	}

	// Closing is said twice, and then the session is over; data after it is void.
	s, now := up(t, SessionOptions{})
	s.Queue(now, number(1))
	s.Close(now)
	if out := fmt.Sprint(steps(s, now)); out != "[closing 817d]" {
		t.Error(out)
	}
	if give(s, now, &Packet{Flags: FlagNumbered, Session: 0x817d, Number: 1}) {
		t.Error("data after closing is taken")
	}
	now = now.Add(ResendAfter)
	if out := fmt.Sprint(steps(s, now), s.Phase()); out != "[closing again 817d] closing" {
		t.Error(out)
	}
	now = now.Add(ResendAfter)
	if out := fmt.Sprint(steps(s, now), s.Phase(), s.Err()); out != "[] over <nil>" {
		t.Error(out)
	}
	// The answer ends it at once, and both may close at the same time.
	s, now = up(t, SessionOptions{})
	s.Close(now)
	steps(s, now)
	s.Receive(now, shake(0x817d, StepClosing, 0))
	if out := fmt.Sprint(steps(s, now), s.Phase(), s.Err()); out != "[closed 817d] over <nil>" {
		t.Error(out)
	}
	s, now = up(t, SessionOptions{})
	s.Close(now)
	s.Receive(now, shake(0x817d, StepClosed, 0))
	if s.Phase() != PhaseOver {
		t.Error(s.Phase())
	}
	// A client that gives up while its open is on its way closes with the number that the late accept brings.
	s = client()
	s.Close(now)
	steps(s, now)
	s.Receive(now, shake(0x1234, StepAccept, 9))
	if out := fmt.Sprint(steps(s, now), s.Phase()); out != "[closing 8009] closing" {
		t.Error(out)
	}
}

// Some servers do not use the number that they gave; the first numbered packet settles it.
func TestNumberOfTheFirstPacketCounts(t *testing.T) {
	for _, given := range []byte{0, 7} {
		now := time.Unix(1000, 0)
		s := OpenSession(now, 0x1234, SessionOptions{})
		s.Receive(now, &Packet{Flags: FlagHandshake, Session: 0x1234, Payload: []byte{2, 0, 0, given, 0, 0, 0, 0}})
		s.Queue(now, number(1))
		drain(s, now)
		if !give(s, now, &Packet{Flags: FlagNumbered, Session: 0x8008, Number: 1}) || s.ID() != 0x8008 {
			t.Errorf("given %d: %x", given, s.ID())
		}
		if give(s, now, &Packet{Flags: FlagNumbered, Session: 0x8009, Number: 2}) || s.ID() != 0x8008 || s.Stats().Foreign != 1 {
			t.Errorf("given %d: then %x", given, s.ID())
		}
	}
}

// No more than the window is on its way, and a backlog that grows ends the session.
func TestWindowAndBacklog(t *testing.T) {
	s, now := up(t, SessionOptions{Window: 3, Backlog: 5})
	for i := range 5 {
		s.Queue(now, number(i))
	}
	if out := drain(s, now); len(out) != 3 {
		t.Errorf("%d packets", len(out))
	}
	s.Receive(now, &Packet{Flags: FlagAck, Session: 0x817d, Ack: 2})
	if out := drain(s, now); len(out) != 2 || out[1].Number != 5 {
		t.Errorf("%+v", out)
	}
	s.Queue(now, number(5))
	s.Queue(now, number(6))
	if err := s.Queue(now, number(7)); err != ErrBacklog || s.Phase() != PhaseClosing || s.Err() != ErrBacklog || s.Waiting() != 0 {
		t.Errorf("%v %v %v", err, s.Phase(), s.Err())
	}
	if err := s.Queue(now, number(7)); err != ErrEnded {
		t.Error(err)
	}
	s, now = up(t, SessionOptions{})
	if err := s.Queue(now, make([]byte, MaxPacket)); err != ErrPacketLong {
		t.Error(err)
	}
}

// Acknowledgements wait for company as long as they may.
func TestAckDelay(t *testing.T) {
	s, now := up(t, SessionOptions{AckDelay: 10 * time.Millisecond})
	in := func(n uint16) { give(s, now, &Packet{Flags: FlagNumbered, Session: 0x817d, Number: n}) }
	in(1)
	if out := drain(s, now); len(out) != 0 || s.Deadline().Sub(now) != 10*time.Millisecond {
		t.Errorf("%+v, due %v", out, s.Deadline().Sub(now))
	}
	now = now.Add(10 * time.Millisecond)
	in(2)
	if out := drain(s, now); len(out) != 1 || out[0].Ack != 2 {
		t.Errorf("%+v", out)
	}
	for n := range uint16(16) {
		in(3 + n)
	}
	if out := drain(s, now); len(out) != 1 || out[0].Ack != 18 {
		t.Errorf("%+v", out)
	}
	in(19)
	s.Queue(now, number(1))
	if out := drain(s, now); len(out) != 1 || out[0].Flags != FlagNumbered|FlagAck || out[0].Ack != 19 {
		t.Errorf("%+v", out)
	}
	in(19) // a repeat means that the peer has not had the acknowledgement
	if out := drain(s, now); len(out) != 1 || out[0].Ack != 19 {
		t.Errorf("%+v", out)
	}
}

// Whatever comes, a session stays within its bounds, says nothing without end, and takes numbers in order.
func FuzzSession(f *testing.F) {
	f.Add([]byte("\x08\x80\x05\x00\x00\x00\x00\x00\x01\x80\x80\x05\x00\x01\x00\x00\x00\x00"), true)
	f.Add([]byte("\x40\x80\x05\x00\x00\x00\x01\x00\x00\x10\x80\x05\x04\x00\x00\x00\x00\x00"), false)
	f.Fuzz(func(t *testing.T, script []byte, server bool) {
		now := time.Unix(1000, 0)
		o := SessionOptions{Window: 8, Backlog: 16}
		s := OpenSession(now, 5, o)
		if server {
			s = AcceptSession(now, 5, 5, o)
		}
		phase, taken := PhaseOpening, uint64(0)
		for ; len(script) >= 9; script = script[9:] {
			p := Packet{Flags: Flags(script[0]) &^ 7, Session: be.Uint16(script[1:]), Ack: be.Uint16(script[3:]), Wanted: be.Uint16(script[5:]),
				Number: be.Uint16(script[7:]), Payload: []byte{script[3], 0, script[5], script[6], 0, 0, 0, 0}}
			switch script[0] & 7 {
			case 1:
				s.Queue(now, script[:1])
			case 2:
				now = now.Add(time.Duration(script[1]) * 10 * time.Millisecond)
			case 3:
				s.Close(now)
			}
			before := s.taken
			if _, fresh := s.Receive(now, &p); fresh && s.taken != (before+1)&NumberMask {
				t.Fatalf("%x after %x", s.taken, before)
			}
			for n := 0; ; n++ {
				b, ok := s.Next(now, nil)
				if !ok {
					break
				}
				if q, err := ParsePacket(b); err != nil || n > 100 {
					t.Fatalf("packet %d: %+v, %v", n, q, err)
				}
			}
			if s.Phase() < phase || s.Waiting() > o.Backlog+1 || s.sent > o.Window || s.Stats().Received < taken || !s.Deadline().IsZero() && s.Deadline().Before(now) && s.Phase() == PhaseUp {
				t.Fatalf("%v after %v, %d wait, %d are on their way, due %v", s.Phase(), phase, s.Waiting(), s.sent, s.Deadline().Sub(now))
			}
			phase, taken = s.Phase(), s.Stats().Received
		}
	})
}
