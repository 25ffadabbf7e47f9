package discover

import (
	"context"
	"net"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/dns/dnsmessage"

	"github.com/patchbay-io/patchbay/internal/testnet"
)

// responder answers questions of multicast DNS in memory. In two steps it first says nothing but the names.
type responder struct {
	t        *testing.T
	p        net.PacketConn
	services []announced
	steps    bool
	asked    int
}

type announced struct {
	instance, service, host string
	port                    uint16
	addr                    [4]byte // zero: not told
	text                    []string
}

func (r *responder) name(s string) dnsmessage.Name {
	n, err := dnsmessage.NewName(s)
	if err != nil {
		r.t.Fatal(err)
	}
	return n
}

func (r *responder) serve() {
	buf := make([]byte, 9000)
	for {
		n, from, err := r.p.ReadFrom(buf)
		if err != nil {
			return
		}
		var q dnsmessage.Message
		if q.Unpack(buf[:n]) != nil {
			continue
		}
		r.asked++
		r.p.WriteTo([]byte("noise"), from)
		answer := dnsmessage.Message{Header: dnsmessage.Header{Response: true, Authoritative: true}}
		for _, question := range q.Questions {
			for _, s := range r.services {
				full := s.instance + "." + s.service + ".local."
				head := func(name string, t dnsmessage.Type) dnsmessage.ResourceHeader {
					return dnsmessage.ResourceHeader{Name: r.name(name), Type: t, Class: dnsmessage.ClassINET, TTL: 10}
				}
				srv := dnsmessage.Resource{Header: head(full, dnsmessage.TypeSRV), Body: &dnsmessage.SRVResource{Port: s.port, Target: r.name(s.host)}}
				txt := dnsmessage.Resource{Header: head(full, dnsmessage.TypeTXT), Body: &dnsmessage.TXTResource{TXT: s.text}}
				switch {
				case question.Type == dnsmessage.TypePTR && question.Name.String() == s.service+".local.":
					answer.Answers = append(answer.Answers, dnsmessage.Resource{Header: head(s.service+".local.", dnsmessage.TypePTR), Body: &dnsmessage.PTRResource{PTR: r.name(full)}})
					if r.steps {
						continue
					}
					answer.Additionals = append(answer.Additionals, txt, srv)
				case question.Type == dnsmessage.TypeSRV && question.Name.String() == full:
					answer.Answers = append(answer.Answers, txt, srv)
				default:
					continue
				}
				if s.addr != [4]byte{} {
					answer.Additionals = append(answer.Additionals, dnsmessage.Resource{Header: head(s.host, dnsmessage.TypeA), Body: &dnsmessage.AResource{A: s.addr}})
				}
			}
		}
		b, err := answer.Pack()
		if err != nil {
			r.t.Error(err)
		}
		r.p.WriteTo(b, from)
	}
}

// TestSeekSwitchers finds switchers by both services, each once, and nothing else.
func TestSeekSwitchers(t *testing.T) {
	for _, steps := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			n := new(testnet.Network)
			p, err := n.ListenPacket(t.Context(), "udp4", mdnsGroup(netip.IPv4Unspecified()).String())
			if err != nil {
				t.Fatal(err)
			}
			class := "class=" + atemClass
			r := &responder{t: t, p: p, steps: steps, services: []announced{
				{"Studio A", atemService, "studio-a.local.", 9910, [4]byte{192, 0, 2, 10}, []string{"name=Studio A", class, "internal version=9.5"}},
				{"Studio A", atemServiceNew, "studio-a.local.", 9910, [4]byte{192, 0, 2, 10}, nil},
				{"Truck", atemServiceNew, "truck.local.", 9911, [4]byte{192, 0, 2, 11}, []string{"txtvers=1"}},
				{"Deck", atemService, "deck.local.", 9993, [4]byte{192, 0, 2, 12}, []string{"class=HyperDeck"}},
				{"Printer", "_ipp._tcp", "printer.local.", 631, [4]byte{192, 0, 2, 13}, nil},
			}}
			done := make(chan struct{})
			go func() {
				defer close(done)
				r.serve()
			}()
			var found []Found
			start := time.Now()
			err = Seek(t.Context(), Network{ListenPacket: n.ListenPacket, From: []netip.Addr{netip.MustParseAddr("192.0.2.200"), netip.MustParseAddr("198.51.100.7")}},
				3*time.Second, func(f Found) { found = append(found, f) })
			if err != nil {
				t.Error(err)
			}
			if took := time.Since(start); took != 3*time.Second {
				t.Errorf("took %v", took)
			}
			Sort(found)
			if len(found) != 2 || found[0].URL != "atem://192.0.2.10" || found[1].URL != "atem://192.0.2.11:9911" {
				t.Fatalf("%+v", found)
			}
			if found[0].Reasons[0] != "Studio A" || found[1].Reasons[0] != "Truck" {
				t.Errorf("%+v", found)
			}
			p.Close()
			<-done
			if r.asked < 6 {
				t.Errorf("asked %d times", r.asked)
			}
		})
	}
}

// Who does not tell his address is where the answer came from.
func TestBrowseWithoutAddress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &browser{types: []string{"_x._udp"}, found: map[string]*answered{}}
		var got []Service
		b.report = func(s Service) { got = append(got, s) }
		r := &responder{t: t}
		m := dnsmessage.Message{Header: dnsmessage.Header{Response: true}, Answers: []dnsmessage.Resource{
			{Header: dnsmessage.ResourceHeader{Name: r.name("a._x._udp.local."), Type: dnsmessage.TypeSRV, Class: dnsmessage.ClassINET},
				Body: &dnsmessage.SRVResource{Port: 7, Target: r.name("a.local.")}}}}
		p, err := m.Pack()
		if err != nil {
			t.Fatal(err)
		}
		for range 2 { // told once
			b.take(p, netip.MustParseAddr("192.0.2.9"))
		}
		want := []Service{{Type: "_x._udp", Instance: "a", Addr: netip.MustParseAddrPort("192.0.2.9:7"), Text: map[string]string{}}}
		if d := cmp.Diff(want, got, cmp.Comparer(func(a, b netip.AddrPort) bool { return a == b })); d != "" {
			t.Error(d)
		}
	})
}

func TestBrowseEndsWithTheNetwork(t *testing.T) {
	err := Browse(t.Context(), Network{From: []netip.Addr{netip.MustParseAddr("192.0.2.1")},
		ListenPacket: func(context.Context, string, string) (net.PacketConn, error) { return nil, net.ErrClosed }}, []string{"_x._udp"}, nil)
	if err == nil {
		t.Error("no error without a network")
	}
	if err := Browse(t.Context(), Network{}, []string{string(make([]byte, 300))}, nil); err == nil {
		t.Error("a name of 300 bytes is asked for")
	}
}

func FuzzAnswer(f *testing.F) {
	f.Add([]byte{0, 0, 0x84, 0, 0, 0, 0, 0, 0, 0, 0, 0})
	f.Fuzz(func(_ *testing.T, b []byte) {
		x := &browser{types: []string{atemService}, found: map[string]*answered{}, report: func(Service) {}}
		x.take(b, netip.Addr{})
	})
}
