package mdns

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/net/dns/dnsmessage"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// cable is a network in memory: what goes to the group reaches everybody, the sender too.
type cable struct {
	mu    sync.Mutex
	ends  map[netip.AddrPort]*end
	heard []heard // what went to the group
}

type heard struct {
	at   time.Time
	from netip.AddrPort
	m    dnsmessage.Message
}

type packet struct {
	b    []byte
	from netip.AddrPort
}

// end is a socket at a cable. Its link has the index 1.
type end struct {
	cable *cable
	addr  netip.AddrPort
	in    chan packet
	once  sync.Once
	gone  chan struct{}
}

func (c *cable) plug(addr string) *end {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ends == nil {
		c.ends = map[netip.AddrPort]*end{}
	}
	e := &end{cable: c, addr: netip.MustParseAddrPort(addr), in: make(chan packet, 1000), gone: make(chan struct{})}
	c.ends[e.addr] = e
	return e
}

func (e *end) Read(b []byte) (int, netip.AddrPort, int, error) {
	select {
	case p := <-e.in:
		return copy(b, p.b), p.from, 1, nil
	case <-e.gone:
		return 0, netip.AddrPort{}, 0, net.ErrClosed
	}
}

func (e *end) Write(b []byte, to netip.AddrPort, _ int) error {
	c := e.cable
	c.mu.Lock()
	defer c.mu.Unlock()
	toAll := to == Group() || to == Group6()
	if toAll {
		h := heard{at: time.Now(), from: e.addr}
		if err := h.m.Unpack(b); err != nil {
			return err
		}
		c.heard = append(c.heard, h)
	}
	for a, x := range c.ends {
		if a == to || toAll && a.Port() == Port && a.Addr().Is6() == to.Addr().Is6() {
			select {
			case x.in <- packet{slices.Clone(b), e.addr}:
			default:
			}
		}
	}
	return nil
}

func (e *end) Close() error {
	e.once.Do(func() {
		close(e.gone)
		e.cable.mu.Lock()
		defer e.cable.mu.Unlock()
		delete(e.cable.ends, e.addr)
	})
	return nil
}

// take gives what waits at an end.
func (e *end) take() []dnsmessage.Message {
	synctest.Wait()
	var out []dnsmessage.Message
	for {
		select {
		case p := <-e.in:
			var m dnsmessage.Message
			if m.Unpack(p.b) == nil {
				out = append(out, m)
			}
		default:
			return out
		}
	}
}

// said are the messages that went to the group since the last call.
func (c *cable) said() []heard {
	synctest.Wait()
	c.mu.Lock()
	defer c.mu.Unlock()
	out := c.heard
	c.heard = nil
	return out
}

func (c *cable) ask(t *testing.T, from string, m dnsmessage.Message) *end {
	t.Helper()
	b, err := m.Pack()
	if err != nil {
		t.Fatal(err)
	}
	e := c.plug(from)
	group := Group()
	if e.addr.Addr().Is6() {
		group = Group6()
	}
	if err := e.Write(b, group, 1); err != nil {
		t.Fatal(err)
	}
	c.said()
	return e
}

// host runs a responder with services at an address.
func (c *cable) host(t *testing.T, name, addr string, services ...Service) (r *Responder, stop func()) {
	r = New(Options{Host: name, Links: func() ([]Link, error) {
		return []Link{{Index: 1, Prefixes: []netip.Prefix{netip.MustParsePrefix(addr + "/24")}}}, nil
	}, Open: func(context.Context, []Link) (Socket, error) { return c.plug(addr + ":5353"), nil }})
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	for _, s := range services {
		wg.Go(func() {
			if err := r.Announce(ctx, s); err != nil {
				t.Error(err)
			}
		})
	}
	synctest.Wait()
	wg.Go(func() {
		if err := r.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	return r, func() {
		cancel()
		wg.Wait()
	}
}

func desk(port uint16) Service {
	return Service{Type: "_oca._tcp", Instance: "desk", Addr: netip.AddrPortFrom(netip.IPv4Unspecified(), port), Text: []string{"txtvers=1", "protovers=1"}}
}

func question(name string, t dnsmessage.Type) dnsmessage.Question {
	return dnsmessage.Question{Name: mustName(name), Type: t, Class: dnsmessage.ClassINET}
}

// instances are the names that messages announce.
func instances(list []heard) []string {
	var out []string
	for _, h := range list {
		for _, a := range h.m.Answers {
			if p, ok := a.Body.(*dnsmessage.PTRResource); ok && a.Header.TTL > 0 && !same(a.Header.Name, typesName) {
				out = append(out, strings.TrimSuffix(p.PTR.String(), "._oca._tcp.local."))
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// A name is probed for three times, announced twice, and taken back at the end.
func TestLife(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &cable{}
		_, stop := c.host(t, "rack", "192.0.2.5", desk(65000))
		time.Sleep(10 * time.Second)
		life := c.said()
		if len(life) != 5 {
			t.Fatalf("%d messages, want three probes and two announcements: %+v", len(life), life)
		}
		for i, h := range life {
			if i < 3 && (h.m.Response || len(h.m.Questions) != 2 || len(h.m.Authorities) != 3 || h.m.Authorities[0].Header.Class != dnsmessage.ClassINET) {
				t.Errorf("probe %d is %+v", i, h.m)
			}
			if i > 2 && (!h.m.Response || !h.m.Authoritative || len(h.m.Answers) != 5) {
				t.Errorf("announcement %d is %+v", i-2, h.m)
			}
		}
		if life[1].at.Sub(life[0].at) != probeEvery || life[3].at.Sub(life[2].at) != probeEvery || life[4].at.Sub(life[3].at) != announceEvery {
			t.Errorf("at %v", life)
		}
		for _, a := range life[3].m.Answers {
			if _, shared := a.Body.(*dnsmessage.PTRResource); (a.Header.Class&classFlush == 0) != shared {
				t.Errorf("%+v: only what nobody else has replaces what was known", a)
			}
		}
		stop()
		bye := c.said()
		if len(bye) != 1 || len(bye[0].m.Answers) != 3 || bye[0].m.Answers[0].Header.TTL != 0 || len(c.ends) != 0 {
			t.Errorf("at the end: %+v, %d sockets", bye, len(c.ends))
		}
	})
}

// Questions are answered as they are asked: to everybody, to a resolver alone, and not when the asker knows.
func TestQuestions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &cable{}
		_, stop := c.host(t, "rack", "192.0.2.5", desk(65000))
		defer stop()
		time.Sleep(10 * time.Second)
		c.said()
		const full = "desk._oca._tcp.local."
		ptr := dnsmessage.Resource{Header: dnsmessage.ResourceHeader{Name: mustName("_oca._tcp.local."), Class: dnsmessage.ClassINET, TTL: ttlOther},
			Body: &dnsmessage.PTRResource{PTR: mustName(full)}}
		old := ptr
		old.Header.TTL = ttlOther/2 - 1
		for _, tt := range []struct {
			name    string
			q       dnsmessage.Question
			known   []dnsmessage.Resource
			answers int
			more    int
		}{
			{"the type", question("_oca._tcp.local.", dnsmessage.TypePTR), nil, 1, 3},
			{"the type in other letters", question("_OCA._tcp.Local.", dnsmessage.TypePTR), nil, 1, 3},
			{"known", question("_oca._tcp.local.", dnsmessage.TypePTR), []dnsmessage.Resource{ptr}, 0, 0},
			{"known for too short a time", question("_oca._tcp.local.", dnsmessage.TypePTR), []dnsmessage.Resource{old}, 1, 3},
			{"the instance", question(full, dnsmessage.TypeSRV), nil, 2, 1},
			{"everything", question(full, dnsmessage.TypeALL), nil, 2, 1},
			{"the host", question("rack.local.", dnsmessage.TypeA), nil, 1, 0},
			{"the types", question(typesName, dnsmessage.TypePTR), nil, 1, 1},
			{"another type", question("_ipp._tcp.local.", dnsmessage.TypePTR), nil, 0, 0},
			{"another class", dnsmessage.Question{Name: mustName(full), Type: dnsmessage.TypeSRV, Class: dnsmessage.ClassCHAOS}, nil, 0, 0},
		} {
			time.Sleep(2 * time.Second)
			e := c.ask(t, "192.0.2.9:5353", dnsmessage.Message{Questions: []dnsmessage.Question{tt.q}, Answers: tt.known})
			asked := time.Now()
			time.Sleep(mostDelay)
			all := c.said()
			if tt.answers == 0 {
				if len(all) != 0 {
					t.Errorf("%s: %+v", tt.name, all)
				}
			} else if len(all) != 1 || len(all[0].m.Answers) != tt.answers || len(all[0].m.Additionals) != tt.more || all[0].at.Sub(asked) < leastDelay {
				t.Errorf("%s: %+v", tt.name, all)
			}
			e.Close()
			time.Sleep(2 * time.Second)
			// A resolver that knows nothing of multicast DNS asks from a port of its own.
			e = c.ask(t, "192.0.2.9:40000", dnsmessage.Message{Header: dnsmessage.Header{ID: 77}, Questions: []dnsmessage.Question{tt.q}, Answers: tt.known})
			got := e.take()
			if tt.answers == 0 {
				if len(got) != 0 {
					t.Errorf("%s, alone: %+v", tt.name, got)
				}
			} else if len(got) != 1 || got[0].ID != 77 || len(got[0].Questions) != 1 || len(got[0].Answers) != tt.answers || got[0].Answers[0].Header.TTL > ttlOnce || got[0].Answers[0].Header.Class != dnsmessage.ClassINET {
				t.Errorf("%s, alone: %+v", tt.name, got)
			}
			e.Close()
		}
		far := c.ask(t, "198.51.100.9:40000", dnsmessage.Message{Questions: []dnsmessage.Question{question("_oca._tcp.local.", dnsmessage.TypePTR)}})
		if got := far.take(); len(got) != 0 {
			t.Error("somebody beyond the link is answered")
		}
		far.Close()
	})
}

// However often it is asked, a record goes out once a second, and single askers have an allowance.
func TestFlood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &cable{}
		_, stop := c.host(t, "rack", "192.0.2.5", desk(65000))
		defer stop()
		time.Sleep(10 * time.Second)
		c.said()
		sent, single := 0, 0
		for range 500 { // 100 a second
			e := c.ask(t, "192.0.2.9:5353", dnsmessage.Message{Questions: []dnsmessage.Question{question("_oca._tcp.local.", dnsmessage.TypePTR)}})
			e.Close()
			e = c.ask(t, "192.0.2.9:40000", dnsmessage.Message{Questions: []dnsmessage.Question{question("_oca._tcp.local.", dnsmessage.TypePTR)}})
			single += len(e.take())
			e.Close()
			time.Sleep(10 * time.Millisecond)
			sent += len(c.said())
		}
		if sent > 6 || sent < 1 {
			t.Errorf("%d answers to everybody in five seconds", sent)
		}
		if single > singleBurst+5*singleRate || single < singleBurst {
			t.Errorf("%d answers to single askers", single)
		}
	})
}

// Somebody has the name already: the newcomer takes another one, and the first one defends its own.
func TestConflict(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &cable{}
		_, stop := c.host(t, "rack", "192.0.2.5", desk(65000))
		defer stop()
		time.Sleep(10 * time.Second)
		c.said()
		_, stop2 := c.host(t, "rack", "192.0.2.6", desk(65001))
		defer stop2()
		time.Sleep(20 * time.Second)
		if got := instances(c.said()); !slices.Equal(got, []string{"desk", "desk (2)"}) {
			t.Errorf("%q", got)
		}
		e := c.ask(t, "192.0.2.9:40000", dnsmessage.Message{Questions: []dnsmessage.Question{question("desk._oca._tcp.local.", dnsmessage.TypeSRV), question("desk (2)._oca._tcp.local.", dnsmessage.TypeSRV)}})
		defer e.Close()
		got := map[uint16]string{}
		for _, m := range e.take() {
			for _, a := range m.Answers {
				if s, ok := a.Body.(*dnsmessage.SRVResource); ok {
					got[s.Port] = s.Target.String()
				}
			}
		}
		if len(got) != 2 || got[65000] != "rack.local." || got[65001] != "rack-2.local." {
			t.Errorf("%v", got)
		}
	})
}

// Two who begin at the same moment end with two names.
func TestSimultaneousProbes(t *testing.T) {
	for range 20 { // the first probe is at a random time
		synctest.Test(t, func(t *testing.T) {
			c := &cable{}
			_, stop := c.host(t, "a", "192.0.2.5", desk(65000))
			defer stop()
			_, stop2 := c.host(t, "b", "192.0.2.6", desk(65001))
			defer stop2()
			time.Sleep(30 * time.Second)
			c.said()
			e := c.ask(t, "192.0.2.9:40000", dnsmessage.Message{Questions: []dnsmessage.Question{question("_oca._tcp.local.", dnsmessage.TypePTR)}})
			defer e.Close()
			var names []string
			for _, m := range e.take() {
				for _, a := range m.Answers {
					names = append(names, a.Body.(*dnsmessage.PTRResource).PTR.String())
				}
			}
			slices.Sort(names)
			if !slices.Equal(names, []string{"desk (2)._oca._tcp.local.", "desk._oca._tcp.local."}) {
				t.Errorf("%q", names)
			}
		})
	}
}

// Of two who probe for one name the one whose records come first in order waits (8.2), and nobody waits for itself.
func TestWhoGoesFirst(t *testing.T) {
	srv := func(port uint16, host string) dnsmessage.Resource {
		return resource("x.local.", 0, 1, &dnsmessage.SRVResource{Port: port, Target: mustName(host)})
	}
	txt := func(s string) dnsmessage.Resource {
		return resource("x.local.", 0, 1, &dnsmessage.TXTResource{TXT: []string{s}})
	}
	for _, row := range []struct {
		name         string
		mine, theirs []dnsmessage.Resource
		loses        bool
	}{
		{"a lower port", []dnsmessage.Resource{srv(1, "a.local."), txt("t")}, []dnsmessage.Resource{srv(2, "a.local."), txt("t")}, true},
		{"a higher port", []dnsmessage.Resource{srv(2, "a.local."), txt("t")}, []dnsmessage.Resource{txt("t"), srv(1, "a.local.")}, false},
		{"a text that decides, since its type comes first", []dnsmessage.Resource{srv(2, "a.local."), txt("a")}, []dnsmessage.Resource{srv(1, "a.local."), txt("b")}, true},
		{"fewer records", []dnsmessage.Resource{txt("t")}, []dnsmessage.Resource{txt("t"), srv(1, "a.local.")}, true},
		{"the same", []dnsmessage.Resource{srv(1, "a.local."), txt("t")}, []dnsmessage.Resource{txt("t"), srv(1, "A.local.")}, false},
	} {
		if got := loses(row.mine, row.theirs); got != row.loses {
			t.Errorf("%s: %v", row.name, got)
		}
	}
}

// Somebody who answers for every name does not make a storm.
func TestManyConflicts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &cable{}
		_, stop := c.host(t, "rack", "192.0.2.5", desk(65000))
		defer stop()
		jealous := c.plug("192.0.2.66:5353")
		done := make(chan struct{})
		count := 0
		go func() {
			defer close(done)
			buf := make([]byte, 9000)
			for {
				n, from, _, err := jealous.Read(buf)
				if err != nil {
					return
				}
				var m dnsmessage.Message
				if m.Unpack(buf[:n]) != nil || from == jealous.addr || m.Response {
					continue
				}
				count++
				r := resource(m.Questions[0].Name.String(), classFlush, ttlHost, &dnsmessage.SRVResource{Port: 1, Target: mustName("mine.local.")})
				b, _ := (&dnsmessage.Message{Header: dnsmessage.Header{Response: true}, Answers: []dnsmessage.Resource{r}}).Pack()
				_ = jealous.Write(b, Group(), 1)
			}
		}()
		time.Sleep(time.Minute)
		jealous.Close()
		<-done
		if count > 40 || count < 15 {
			t.Errorf("%d probes in a minute", count)
		}
	})
}

func TestServiceProblems(t *testing.T) {
	r := New(Options{})
	for name, change := range map[string]func(*Service){
		"type": func(s *Service) { s.Type = "oca" }, "name": func(s *Service) { s.Instance = "\x00" }, "port": func(s *Service) { s.Addr = netip.AddrPort{} },
		"text": func(s *Service) { s.Text = []string{strings.Repeat("x", 256)} },
	} {
		s := desk(1)
		change(&s)
		if err := r.Announce(t.Context(), s); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if got := label("Studio A. "+strings.Repeat("ü", 40), " (2)"); len(got) > maxLabel || strings.Contains(got, ".") || !strings.HasPrefix(got, "Studio A- ü") || !strings.HasSuffix(got, "ü (2)") {
		t.Errorf("%q", got)
	}
}

func FuzzPacket(f *testing.F) {
	for _, m := range []dnsmessage.Message{
		{Questions: []dnsmessage.Question{question("_oca._tcp.local.", dnsmessage.TypePTR)}},
		{Header: dnsmessage.Header{Response: true}, Answers: []dnsmessage.Resource{resource("desk._oca._tcp.local.", 0, 1, &dnsmessage.SRVResource{Target: mustName("x.local.")})}},
		{Authorities: []dnsmessage.Resource{resource("desk._oca._tcp.local.", 0, 1, &dnsmessage.TXTResource{TXT: []string{"a"}})}},
	} {
		b, err := m.Pack()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(_ *testing.T, b []byte) {
		r := New(Options{})
		c := &cable{}
		r.sockets, r.links = map[bool]Socket{false: c.plug("192.0.2.5:5353")}, []Link{{Index: 1, Prefixes: []netip.Prefix{netip.MustParsePrefix("192.0.2.5/24")}}}
		for range 2 {
			x := &claim{service: desk(1)}
			x.probe(time.Now())
			r.claims = append(r.claims, x)
		}
		r.claims[1].step = probes + announcements
		var m dnsmessage.Message
		if m.Unpack(b) != nil {
			return
		}
		for _, port := range []uint16{Port, 40000} {
			r.packet(&m, netip.AddrPortFrom(netip.MustParseAddr("192.0.2.9"), port), &r.links[0])
			r.work(time.Now().Add(time.Hour))
		}
	})
}
