package capture

import (
	"bytes"
	"fmt"
	"io"
	"net/netip"
	"testing"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"

	"github.com/patchbay-io/patchbay/transcript"
)

// packets reads a pcapng file and checks every header of it: lengths, checksums, and that sequence numbers follow each other.
func packets(t testing.TB, file []byte) []gopacket.Packet {
	t.Helper()
	r, err := pcapgo.NewNgReader(bytes.NewReader(file), pcapgo.DefaultNgReaderOptions)
	if err != nil {
		t.Fatal(err)
	}
	var out []gopacket.Packet
	next := map[string]uint32{}
	for {
		data, ci, err := r.ReadPacketData()
		if err == io.EOF {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		p := gopacket.NewPacket(data, layers.LinkTypeEthernet, gopacket.Default)
		p.Metadata().CaptureInfo = ci
		if e := p.ErrorLayer(); e != nil {
			t.Fatalf("packet %d: %v", len(out)+1, e.Error())
		}
		if l, ok := p.TransportLayer().(interface {
			SetNetworkLayerForChecksum(gopacket.NetworkLayer) error
		}); ok {
			if err := l.SetNetworkLayerForChecksum(p.NetworkLayer()); err != nil {
				t.Fatal(err)
			}
		}
		if err, bad := p.VerifyChecksums(); err != nil || len(bad) > 0 {
			t.Errorf("packet %d: checksums %v %+v", len(out)+1, err, bad)
		}
		if tcp, ok := p.TransportLayer().(*layers.TCP); ok {
			key := fmt.Sprint(p.NetworkLayer().NetworkFlow(), tcp.TransportFlow())
			if want, seen := next[key]; seen && want != tcp.Seq {
				t.Errorf("packet %d has sequence number %d, want %d", len(out)+1, tcp.Seq, want)
			}
			next[key] = tcp.Seq + uint32(len(tcp.Payload))
			if tcp.SYN || tcp.FIN {
				next[key]++
			}
			back := fmt.Sprint(p.NetworkLayer().NetworkFlow().Reverse(), tcp.TransportFlow().Reverse())
			if tcp.ACK && next[back] != tcp.Ack {
				t.Errorf("packet %d acknowledges %d, want %d", len(out)+1, tcp.Ack, next[back])
			}
		}
		out = append(out, p)
	}
}

func TestPcapng(t *testing.T) {
	v4, v4b := netip.MustParseAddrPort("192.0.2.5:50000"), netip.MustParseAddrPort("192.0.2.21:8193")
	v6, v6b := netip.MustParseAddrPort("[2001:db8::5]:50000"), netip.MustParseAddrPort("[2001:db8::21]:8193")
	for name, f := range map[string]*Flow{
		"IPv4":    {ID: 1, Network: "tcp", Client: v4, Server: v4b},
		"IPv6":    {ID: 1, Network: "tcp", Client: v6, Server: v6b},
		"mixed":   {ID: 1, Network: "tcp", Client: v6, Server: v4b},
		"unknown": {ID: 1, Network: "tcp", Server: v6b},
		"UDP":     {ID: 1, Network: "udp", Client: v4, Server: v4b},
		"UDP6":    {ID: 1, Network: "udp", Client: v6, Server: v6b},
	} {
		t.Run(name, func(t *testing.T) {
			var file bytes.Buffer
			s, err := Pcapng(&file, time.Unix(1700000000, 0), "a comment")
			if err != nil {
				t.Fatal(err)
			}
			kind := transcript.Data
			if f.Network == "udp" {
				kind = transcript.Datagram
			}
			var want [2][]byte
			put := func(dir transcript.Direction, k transcript.Kind, data []byte) {
				e := transcript.Event{Flow: 1, Dir: dir, Kind: k, Data: data, Offset: time.Second}
				if dir == transcript.FromServer {
					want[1] = append(want[1], data...)
				} else {
					want[0] = append(want[0], data...)
				}
				if err := s.Event(f, &e); err != nil {
					t.Fatal(err)
				}
			}
			put(transcript.Neither, transcript.Open, nil)
			put(transcript.FromClient, kind, []byte("odd"))
			put(transcript.FromServer, kind, bytes.Repeat([]byte("0123456789"), 6000))
			put(transcript.Neither, transcript.Note, nil)
			put(transcript.FromClient, kind, []byte{})
			put(transcript.FromClient, transcript.Close, nil)
			put(transcript.FromServer, kind, []byte{0xff, 0xff})
			put(transcript.FromServer, transcript.Close, nil)
			if err := s.Flush(); err != nil {
				t.Fatal(err)
			}
			var got [2][]byte
			all := packets(t, file.Bytes())
			for _, p := range all {
				side := 0
				if p.LinkLayer().LinkFlow().Src().Raw()[5] == 2 {
					side = 1
				}
				got[side] = append(got[side], p.TransportLayer().LayerPayload()...)
				if at := p.Metadata().Timestamp; !at.Equal(time.Unix(1700000001, 0)) {
					t.Error(at)
				}
			}
			for i := range want {
				if !bytes.Equal(want[i], got[i]) {
					t.Errorf("side %d: %d bytes came back of %d", i, len(got[i]), len(want[i]))
				}
			}
			if f.Network == "tcp" {
				if last := all[len(all)-1].TransportLayer().(*layers.TCP); !last.ACK || last.FIN {
					t.Error("the last packet acknowledges nothing")
				}
			}
		})
	}
}

func TestPcapngReset(t *testing.T) {
	var file bytes.Buffer
	s, _ := Pcapng(&file, time.Unix(0, 0), "")
	f := &Flow{ID: 7, Network: "tcp", Client: netip.MustParseAddrPort("192.0.2.5:50000"), Upstream: "gone:1"}
	for _, e := range []transcript.Event{{Dir: transcript.Neither, Kind: transcript.Open}, {Dir: transcript.FromServer, Kind: transcript.Reset}} {
		if err := s.Event(f, &e); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Flush(); err != nil {
		t.Fatal(err)
	}
	all := packets(t, file.Bytes())
	if len(all) != 2 || !all[1].TransportLayer().(*layers.TCP).RST {
		t.Error(all)
	}
}

func BenchmarkPcapng(b *testing.B) {
	s, err := Pcapng(io.Discard, time.Now(), "")
	if err != nil {
		b.Fatal(err)
	}
	f := &Flow{ID: 1, Network: "tcp", Client: netip.MustParseAddrPort("192.0.2.5:50000"), Server: netip.MustParseAddrPort("192.0.2.21:8193")}
	e := transcript.Event{Dir: transcript.FromClient, Kind: transcript.Data, Data: make([]byte, 64)}
	b.ReportAllocs()
	for b.Loop() {
		if err := s.Event(f, &e); err != nil {
			b.Fatal(err)
		}
	}
}
