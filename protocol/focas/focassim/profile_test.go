package focassim

import (
	"bytes"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/patchbay-io/patchbay/protocol/focas"
	"github.com/patchbay-io/patchbay/protocol/focas/internal/vectors"
)

// TestSessionOfFANUCsLibrary plays a session in the order in which FANUC's library opens and closes one.
func TestSessionOfFANUCsLibrary(t *testing.T) {
	for _, name := range Profiles() {
		t.Run(name, func(t *testing.T) {
			s, _ := newSim(t, Options{Profile: name})
			addr := serve(t, s)
			paths := len(s.prof.paths)
			size := 40 + 32*paths
			if s.Version() <= 2 {
				size = 16 + 8*paths
			}
			var conns [3]net.Conn
			var readers [3]*focas.FrameReader
			var bodies [3][]byte
			for ch := uint16(1); ch <= 2; ch++ {
				c, err := net.Dial("tcp", addr)
				if err != nil {
					t.Fatal(err)
				}
				defer c.Close()
				conns[ch], readers[ch] = c, focas.NewFrameReader(c)
				c.Write(focas.AppendOpenRequest(nil, ch))
				f, err := readers[ch].Next()
				if err != nil || f.Type != focas.TypeOpen || f.Dir != focas.DirReply || f.Version != s.Version() || len(f.Body) != size {
					t.Fatalf("channel %d: %+v with %d bytes, want %d; %v", ch, f.Header, len(f.Body), size, err)
				}
				bodies[ch] = bytes.Clone(f.Body)
			}
			if !bytes.Equal(bodies[1], bodies[2]) {
				t.Error("the channels get different open replies")
			}
			o, err := focas.ParseOpenReply(s.Version(), bodies[2])
			if err != nil || o.PathCount() != paths {
				t.Fatalf("%+v, %v", o, err)
			}
			var ask []focas.Request
			for n := range o.Paths() {
				ask = append(ask, focas.SysInfoRequest(n))
			}
			if o.Dialect() == focas.Classic {
				ask = append(ask, focas.ParamRequest(focas.Classic, 1, 9968, 9968, 0))
			} else if !o.Extended() {
				t.Error("the library would refuse the extended functions")
			}
			conns[2].Write(focas.AppendRequests(nil, ask))
			f, err := readers[2].Next()
			if err != nil {
				t.Fatal(err)
			}
			bs, err := focas.ReplyBlocks(f.Body)
			if err != nil {
				t.Fatal(err)
			}
			for i := range ask {
				p, ok, err := bs.NextReply()
				if !ok || err != nil || p.Err() != nil {
					t.Fatal(ok, err, p.Err())
				}
				switch ask[i].Func {
				case focas.FuncSysInfo:
					if len(p.Payload) != focas.SysInfoSize {
						t.Errorf("system information of %d bytes", len(p.Payload))
					}
				default:
					r, err := focas.ParseRecord(focas.Classic, p.Payload)
					if err != nil || r.Slots[0].Mantissa&1 == 0 {
						t.Errorf("parameter 9968 is %+v, %v", r, err)
					}
				}
			}
			for ch := 1; ch <= 2; ch++ {
				conns[ch].Write(focas.AppendCloseRequest(nil))
				if f, err := readers[ch].Next(); err != nil || f.Type != focas.TypeClose || len(f.Body) != 0 {
					t.Errorf("close of channel %d: %+v, %v", ch, f.Header, err)
				}
				if _, err := readers[ch].Next(); err != io.EOF {
					t.Errorf("after close of channel %d: %v", ch, err)
				}
			}
		})
	}
}

func TestTwoPathsAreApart(t *testing.T) {
	_, clock, c := start(t, Options{Profile: "31i"})
	clock.add(15 * time.Second)
	ctx := t.Context()
	var axes, spindles []string
	for _, n := range c.Paths() {
		p := c.Path(n)
		names, err := p.AxisNames(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range names {
			axes = append(axes, string(x[:1]))
		}
		sp, err := p.SpindleNames(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range sp {
			spindles = append(spindles, string(x[:2]))
		}
	}
	if diff := cmp.Diff([]string{"X", "Z", "X", "Y", "Z", "C"}, axes); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"S1", "S2"}, spindles); diff != "" {
		t.Error(diff)
	}
	first, err := c.Path(1).StatInfo(ctx)
	if err != nil {
		t.Fatal(err)
	}
	second, err := c.Path(2).StatInfo(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if first.TMMode != 0 || second.TMMode != 1 {
		t.Errorf("T/M modes %d and %d, want a lathe and a mill", first.TMMode, second.TMMode)
	}
	pos, err := c.Path(2).Positions(ctx)
	if err != nil || len(pos) != 4 || pos[3].Absolute.Unit != focas.UnitDegree || pos[0].Absolute.Unit != focas.UnitMM {
		t.Errorf("%+v, %v", pos, err)
	}
	// Parameters of axis type are seen per path.
	one, err := c.Path(1).Param(ctx, 1020, focas.EveryAxis)
	if err != nil {
		t.Fatal(err)
	}
	two, err := c.Path(2).Param(ctx, 1020, focas.EveryAxis)
	if err != nil {
		t.Fatal(err)
	}
	if one.Slots[1].Mantissa != 'Z' || one.Slots[2].Mantissa != 0 || two.Slots[3].Mantissa != 'C' {
		t.Errorf("axis names by parameter: %v and %v", one.Slots[:4], two.Slots[:4])
	}
	if err := c.Path(2).WriteWorkOffset(ctx, 1, 4, 90000); err != nil {
		t.Fatal(err)
	}
	if v, err := c.Path(2).WorkOffset(ctx, 1, 4); err != nil || v.Float() != 90 {
		t.Errorf("%v, %v", v, err)
	}
}

func TestRecorderSeesFaults(t *testing.T) {
	var mu sync.Mutex
	var sent []byte
	s, _ := newSim(t, Options{Manual: true, WrapConn: func(c net.Conn) net.Conn {
		return spy{c, func(p []byte) { mu.Lock(); sent = append(sent, p...); mu.Unlock() }}
	}})
	c := connect(t, serve(t, s))
	s.SetFaults(Faults{Refuse: focas.EWBusy})
	_, err := c.Path(1).StatInfo(t.Context())
	wantCode(t, "refused", err, focas.EWBusy)
	mu.Lock()
	defer mu.Unlock()
	if !bytes.Contains(sent, []byte{0x21, 0x03, 0x00, 0x08}) {
		t.Errorf("the recorder saw %x", sent)
	}
}

type spy struct {
	net.Conn
	wrote func([]byte)
}

func (s spy) Write(p []byte) (int, error) { s.wrote(p); return s.Conn.Write(p) }

// FuzzRequests asks controls of both dialects anything. No answer may panic, or be larger than a frame.
func FuzzRequests(f *testing.F) {
	all, err := vectors.Load()
	if err != nil {
		f.Fatal(err)
	}
	for _, v := range all {
		for _, b := range v.Requests(2) {
			f.Add(b)
		}
	}
	var sims []*Sim
	for _, name := range []string{"16i", "31i"} {
		s, err := New(Options{Profile: name, Now: newClock().now})
		if err != nil {
			f.Fatal(err)
		}
		sims = append(sims, s)
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		fr, _, err := focas.ParseFrame(in)
		if err != nil {
			return
		}
		bs, err := focas.RequestBlocks(fr.Body)
		if err != nil {
			return
		}
		for {
			q, ok, err := bs.NextRequest()
			if err != nil || !ok {
				return
			}
			for _, s := range sims {
				var p focas.Reply
				s.do(func(m *machine) { p = (&asked{s: s, m: m, q: &q}).answer() })
				if p.Code != 0 && len(p.Payload) != 0 {
					t.Errorf("%v%v: code %v with a payload", q.Func, q.Args, p.Code)
				}
				if limit := s.Version().MaxBody() - 2 - focas.ReplyBlockSize; len(p.Payload) > limit {
					t.Errorf("%v%v: %d bytes", q.Func, q.Args, len(p.Payload))
				}
				s.Advance(tick)
			}
		}
	})
}

// BenchmarkStatus answers what a client asks most often.
func BenchmarkStatus(b *testing.B) {
	s, err := New(Options{Now: newClock().now})
	if err != nil {
		b.Fatal(err)
	}
	requests := []focas.Request{focas.StatusRequest(1), focas.HandleRetraceRequest(1), focas.TMModeRequest(1)}
	var replies []focas.Reply
	b.ReportAllocs()
	for b.Loop() {
		replies = replies[:0]
		s.do(func(m *machine) {
			for i := range requests {
				replies = append(replies, (&asked{s: s, m: m, q: &requests[i]}).answer())
			}
		})
	}
}
