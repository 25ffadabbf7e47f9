package decode

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"

	"github.com/patchbay-io/patchbay/protocol/atem"
	"github.com/patchbay-io/patchbay/transcript"
)

// wirePacket is one packet of a made-up capture.
type wirePacket struct {
	server   bool // from the server
	seq, ack uint32
	flags    string // of S A F R
	data     string
	port     uint16 // of the server; 8193 by default
	udp      bool
	v6, vlan bool
	snap     int // bytes that were captured; 0: all
	more     bool
	at       time.Duration
}

func (w *wirePacket) bytes(t testing.TB) []byte {
	t.Helper()
	if w.port == 0 {
		w.port = 8193
	}
	client, server := net.IP{192, 0, 2, 5}, net.IP{192, 0, 2, 21}
	ports := [2]uint16{50000, w.port}
	if w.server {
		client, server = server, client
		ports[0], ports[1] = ports[1], ports[0]
	}
	proto := layers.IPProtocolTCP
	if w.udp {
		proto = layers.IPProtocolUDP
	}
	ether := &layers.Ethernet{SrcMAC: net.HardwareAddr{2, 0, 0, 0, 0, 1}, DstMAC: net.HardwareAddr{2, 0, 0, 0, 0, 2}, EthernetType: layers.EthernetTypeIPv4}
	stack := []gopacket.SerializableLayer{ether}
	if w.vlan {
		ether.EthernetType = layers.EthernetTypeDot1Q
		stack = append(stack, &layers.Dot1Q{VLANIdentifier: 7, Type: layers.EthernetTypeIPv4})
	}
	var ip gopacket.NetworkLayer
	if w.v6 {
		ether.EthernetType = layers.EthernetTypeIPv6
		ip6 := &layers.IPv6{Version: 6, HopLimit: 64, NextHeader: proto, SrcIP: client.To16(), DstIP: server.To16()}
		stack, ip = append(stack, ip6), ip6
	} else {
		ip4 := &layers.IPv4{Version: 4, IHL: 5, TTL: 64, Protocol: proto, SrcIP: client, DstIP: server}
		if w.more {
			ip4.Flags = layers.IPv4MoreFragments
		}
		stack, ip = append(stack, ip4), ip4
	}
	if w.udp {
		udp := &layers.UDP{SrcPort: layers.UDPPort(ports[0]), DstPort: layers.UDPPort(ports[1])}
		_ = udp.SetNetworkLayerForChecksum(ip)
		stack = append(stack, udp)
	} else {
		has := func(c string) bool { return strings.Contains(w.flags, c) }
		tcp := &layers.TCP{SrcPort: layers.TCPPort(ports[0]), DstPort: layers.TCPPort(ports[1]), Seq: w.seq, Ack: w.ack, Window: 65535,
			SYN: has("S"), ACK: has("A"), FIN: has("F"), RST: has("R")}
		_ = tcp.SetNetworkLayerForChecksum(ip)
		stack = append(stack, tcp)
	}
	stack = append(stack, gopacket.Payload(w.data))
	buf := gopacket.NewSerializeBuffer()
	if err := gopacket.SerializeLayers(buf, gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true}, stack...); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

var captureStart = time.Unix(1700000000, 0)

func pcapFile(t testing.TB, ng bool, packets ...wirePacket) []byte {
	t.Helper()
	var file bytes.Buffer
	var write func(gopacket.CaptureInfo, []byte) error
	flush := func() error { return nil }
	if ng {
		w, err := pcapgo.NewNgWriter(&file, layers.LinkTypeEthernet)
		if err != nil {
			t.Fatal(err)
		}
		write, flush = w.WritePacket, w.Flush
	} else {
		w := pcapgo.NewWriterNanos(&file)
		if err := w.WriteFileHeader(65535, layers.LinkTypeEthernet); err != nil {
			t.Fatal(err)
		}
		write = w.WritePacket
	}
	for i := range packets {
		p := &packets[i]
		b := p.bytes(t)
		ci := gopacket.CaptureInfo{Timestamp: captureStart.Add(p.at + time.Duration(i)*time.Millisecond), Length: len(b)}
		if p.snap > 0 {
			b = b[:p.snap]
		}
		ci.CaptureLength = len(b)
		if err := write(ci, b); err != nil {
			t.Fatal(err)
		}
	}
	if err := flush(); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

// heard is what a capture says: c and s for the bytes of client and server, joined while nothing else comes between.
func heard(t testing.TB, file []byte) (string, error) {
	t.Helper()
	src, err := openSource(bytes.NewReader(file), transcript.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	last := ""
	for {
		r, err := src.next()
		if err == io.EOF {
			return strings.Join(out, " "), nil
		}
		if err != nil {
			return strings.Join(out, " "), err
		}
		who := map[transcript.Direction]string{transcript.FromClient: "c", transcript.FromServer: "s", transcript.Neither: "="}[r.Dir]
		switch {
		case r.Kind == transcript.Comment:
			out = append(out, "#"+r.Text)
			who = ""
		case r.Kind == transcript.Data && last == who:
			out[len(out)-1] += string(r.Data)
		case r.Kind == transcript.Data, r.Kind == transcript.Datagram:
			out = append(out, who+":"+string(r.Data))
		case r.missing > 0:
			out = append(out, fmt.Sprintf("%s-%d", who, r.missing))
			who = ""
		case r.Kind == transcript.Open:
		default:
			out = append(out, who+"."+r.Kind.String())
			who = ""
		}
		last = who
	}
}

func TestReassembly(t *testing.T) {
	open := []wirePacket{{flags: "S", seq: 99}, {server: true, flags: "SA", seq: 499, ack: 100}, {flags: "A", seq: 100, ack: 500}}
	wrap := func(n int) uint32 { return uint32(1<<32 - 3 + n) }
	for name, c := range map[string]struct {
		packets []wirePacket
		want    string
	}{
		"in order": {append(open[:3:3], wirePacket{seq: 100, flags: "A", ack: 500, data: "ask"}, wirePacket{server: true, seq: 500, flags: "A", ack: 103, data: "answer"},
			wirePacket{seq: 103, flags: "FA", ack: 506}, wirePacket{server: true, seq: 506, flags: "FA", ack: 104}, wirePacket{seq: 104, flags: "A", ack: 507}),
			"c:ask s:answer c.close s.close"},
		"out of order": {append(open[:3:3], wirePacket{seq: 103, flags: "A", data: "DEF"}, wirePacket{seq: 106, flags: "FA", data: "G"}, wirePacket{seq: 100, flags: "A", data: "ABC"}), "c:ABCDEFG c.close"},
		"again":        {append(open[:3:3], wirePacket{seq: 100, data: "ABC"}, wirePacket{seq: 100, data: "ABC"}, wirePacket{seq: 102, data: "CD"}, wirePacket{seq: 103, data: ""}), "c:ABCD"},
		"keep alive":   {append(open[:3:3], wirePacket{seq: 100, data: "A"}, wirePacket{seq: 100, data: "x"}, wirePacket{seq: 101, data: "B"}), "c:AB"},
		"gap, acknowledged": {append(open[:3:3], wirePacket{seq: 100, data: "A"}, wirePacket{seq: 1305, flags: "A", ack: 500, data: "B"}, wirePacket{server: true, flags: "A", seq: 500, ack: 1306, data: "x"},
			wirePacket{server: true, flags: "A", seq: 501, ack: 1306, data: "y"}), "c:A s:xy c-1204 c:B"},
		"gap at the end":     {append(open[:3:3], wirePacket{seq: 100, data: "A"}, wirePacket{seq: 105, data: "B"}), "c:A c-4 c:B"},
		"gap before the FIN": {append(open[:3:3], wirePacket{seq: 100, data: "A"}, wirePacket{seq: 105, flags: "FA"}), "c:A c-4 c.close"},
		"silent peer":        {append(open[:3:3], wirePacket{seq: 100, data: "A"}, wirePacket{seq: 105, data: "B"}, wirePacket{seq: 106, data: "C", at: 9 * time.Second}), "c:A c-4 c:BC"},
		"reset":              {append(open[:3:3], wirePacket{seq: 100, data: "A"}, wirePacket{seq: 103, data: "B"}, wirePacket{seq: 104, flags: "R"}), "c:A c-2 c:B c.reset"},
		"from the middle":    {[]wirePacket{{server: true, seq: 7, data: "late"}, {seq: 3, data: "x"}, {server: true, seq: 11, data: "r"}}, "s:late c:x s:r"},
		"wrap":               {[]wirePacket{{flags: "S", seq: wrap(-1)}, {seq: wrap(4), data: "EF"}, {seq: wrap(0), data: "ABCD"}}, "c:ABCDEF"},
		"same ports again":   {append(append(open[:3:3], wirePacket{seq: 100, data: "A"}), wirePacket{flags: "S", seq: 4999}, wirePacket{seq: 5000, data: "B"}), "c:A =.note c:B"},
		"cut packets":        {append(open[:3:3], wirePacket{seq: 100, data: "ABCDEF", snap: 54 + 2}, wirePacket{seq: 106, data: "G"}), "c:AB c-4 c:G"},
		"IPv6":               {[]wirePacket{{v6: true, seq: 1, data: "six"}}, "c:six"},
		"VLAN":               {[]wirePacket{{vlan: true, seq: 1, data: "tagged"}}, "c:tagged"},
		"UDP":                {[]wirePacket{{udp: true, data: "q"}, {udp: true, server: true, data: "a"}, {udp: true, data: "cut off", snap: 42 + 3}}, "c:q s:a c:cut c-4"},
		"fragment":           {[]wirePacket{{seq: 1, data: "x", more: true}, {seq: 1, data: "y"}}, "c:y #1 fragments of IP packets were left out"},
		"headers cut":        {[]wirePacket{{seq: 1, data: "x", snap: 20}, {seq: 1, data: "y"}}, "c:y #1 packets that are neither TCP nor UDP were left out"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, ng := range []bool{false, true} {
				if got, err := heard(t, pcapFile(t, ng, c.packets...)); got != c.want || err != nil {
					t.Errorf("pcapng %v: got %q, %v; want %q", ng, got, err, c.want)
				}
			}
		})
	}
}

// session is a FOCAS exchange as packets, n times.
func session(n int) []wirePacket {
	client, server := exchange()
	out := []wirePacket{{flags: "S", seq: 99}, {server: true, flags: "SA", seq: 499, ack: 100}}
	for i := range n {
		c, s := uint32(100+i*len(client)), uint32(500+i*len(server))
		out = append(out, wirePacket{seq: c, flags: "A", ack: s, data: string(client)},
			wirePacket{server: true, seq: s, flags: "A", ack: c + uint32(len(client)), data: string(server)})
	}
	return out
}

func TestCapture(t *testing.T) {
	noise := []wirePacket{{port: 443, seq: 1, data: "\x16\x03\x01 hello, this is something else"}, {port: 53, udp: true, data: "query"}}
	file := pcapFile(t, true, append(session(2), noise...)...)
	out, res := decode(t, string(file), Options{})
	want := Result{Protocol: "focas", Guessed: true, Frames: 4, Share: transcript.Share{Bytes: 152, Decoded: 152}, Capture: true, Flows: 1, OtherFlows: 2, OtherBytes: 38}
	if res != want {
		t.Errorf("%+v", res)
	}
	for _, s := range []string{"found by its port and its bytes", "open tcp 192.0.2.21:8193 from 192.0.2.5:50000", "left out: tcp port 443: 1 flows with 33 bytes; udp port 53: 1 flows with 5 bytes", "12.345"} {
		if !strings.Contains(out, s) {
			t.Errorf("no %q in\n%s", s, out)
		}
	}
	out, _ = decode(t, string(file), Options{JSON: true, Name: "x.pcapng"})
	for _, s := range []string{`"capture":true`, `"type":"frame","protocol":"focas"`, `"other_flows":2`, `"file":"x.pcapng"`} {
		if !strings.Contains(out, s) {
			t.Errorf("no %s in\n%s", s, out)
		}
	}
	// on another port the bytes tell
	moved := session(1)
	for i := range moved {
		moved[i].port = 9000
	}
	if _, res := decode(t, string(pcapFile(t, false, moved...)), Options{}); res.Frames != 2 {
		t.Errorf("%+v", res)
	}
}

// Of very many ports, those that have no line of their own are counted together, with their bytes.
func TestCaptureOfManyPorts(t *testing.T) {
	packets := session(1)
	for i := range maxOthers + 3 {
		packets = append(packets, wirePacket{port: uint16(20000 + i), udp: true, data: strings.Repeat("x", 1+i/maxOthers*99)})
	}
	out, res := decode(t, string(pcapFile(t, false, packets...)), Options{})
	if want := "left out: further ports: 3 flows with 300 bytes; "; !strings.Contains(out, want) || res.OtherBytes != maxOthers+300 {
		t.Errorf("no %q, %+v in\n%s", want, res, out)
	}
}

// A session over UDP in a capture: each datagram is a message, and the client is who opened it.
func TestCaptureOfDatagrams(t *testing.T) {
	open := atem.Handshake{Step: atem.StepOpen}.Append(nil, 0x53ab, 0)
	accept := atem.Handshake{Step: atem.StepAccept, Given: 1}.Append(nil, 0x53ab, 0)
	cut, err := (&atem.Packet{Flags: atem.FlagNumbered, Session: 0x8001, Number: 1, Payload: (&atem.Cut{ME: 0}).Append(nil, 0)}).Append(nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, port := range []uint16{atem.Port, 4000} {
		var out bytes.Buffer
		res, err := Decode(t.Context(), bytes.NewReader(udpFile(t, port, open, accept, cut)), &out, Options{Brief: true})
		if err != nil || res.Protocol != "atem" || res.Frames != 3 || res.Faulty != 0 || res.Flows != 1 {
			t.Errorf("port %d: %+v, %v", port, res, err)
		}
		for _, want := range []string{"open 0x53ab", "accept: session 0x0001", "packet 1, DCut Cut me=0"} {
			if !strings.Contains(out.String(), want) {
				t.Errorf("port %d: no %q in\n%s", port, want, out.String())
			}
		}
	}
}

// udpFile is a capture of datagrams between a client and a server on port, the client's first, then turn by turn.
func udpFile(t *testing.T, port uint16, datagrams ...[]byte) []byte {
	t.Helper()
	var buf bytes.Buffer
	w := pcapgo.NewWriter(&buf)
	if err := w.WriteFileHeader(65536, layers.LinkTypeRaw); err != nil {
		t.Fatal(err)
	}
	for i, d := range datagrams {
		ip := layers.IPv4{Version: 4, TTL: 64, Protocol: layers.IPProtocolUDP, SrcIP: net.IP{192, 0, 2, 1}, DstIP: net.IP{192, 0, 2, 10}}
		udp := layers.UDP{SrcPort: 50000, DstPort: layers.UDPPort(port)}
		if i == 1 {
			ip.SrcIP, ip.DstIP, udp.SrcPort, udp.DstPort = ip.DstIP, ip.SrcIP, udp.DstPort, udp.SrcPort
		}
		if err := udp.SetNetworkLayerForChecksum(&ip); err != nil {
			t.Fatal(err)
		}
		b := gopacket.NewSerializeBuffer()
		if err := gopacket.SerializeLayers(b, gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true}, &ip, &udp, gopacket.Payload(d)); err != nil {
			t.Fatal(err)
		}
		if err := w.WritePacket(gopacket.CaptureInfo{Timestamp: time.Unix(int64(i), 0), CaptureLength: len(b.Bytes()), Length: len(b.Bytes())}, b.Bytes()); err != nil {
			t.Fatal(err)
		}
	}
	return buf.Bytes()
}

func TestCaptureOfNothingKnown(t *testing.T) {
	file := pcapFile(t, true, wirePacket{port: 443, seq: 1, data: "something else"})
	for _, c := range []struct {
		o    Options
		want string
	}{{Options{}, ": it holds tcp port 443: 1 flows with 14 bytes"}, {Options{Protocol: "focas"}, "looks like focas"}, {Options{Protocol: "modbus"}, "known are focas"}} {
		if _, err := Decode(t.Context(), bytes.NewReader(file), io.Discard, c.o); !errors.Is(err, ErrProtocol) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v", c.o, err)
		}
	}
	// a named port is decoded whatever it looks like
	res, err := Decode(t.Context(), bytes.NewReader(file), io.Discard, Options{Protocol: "focas", Port: 443})
	if err != nil || res.Frames != 1 || res.Faulty != 1 {
		t.Errorf("%+v %v", res, err)
	}
	if _, err := Decode(t.Context(), bytes.NewReader(pcapFile(t, false)), io.Discard, Options{}); !errors.Is(err, ErrProtocol) || !strings.Contains(err.Error(), "no TCP or UDP") {
		t.Error(err)
	}
}

func TestGapInMessage(t *testing.T) {
	p := session(2)
	p = append(p[:4:4], wirePacket{seq: p[4].seq + 10, flags: "A", ack: p[4].ack, data: p[4].data[10:]}, p[5])
	out, res := decode(t, string(pcapFile(t, true, p...)), Options{})
	if res.Gaps != 1 || res.Missing != 10 || res.Faulty != 1 {
		t.Errorf("%+v", res)
	}
	for _, s := range []string{"10 bytes missing here", "10 bytes are missing in 1 places"} {
		if !strings.Contains(out, s) {
			t.Errorf("no %q in\n%s", s, out)
		}
	}
	// a message whose end is missing says so
	p = session(2)
	p[2].data = p[2].data[:20]
	out, _ = decode(t, string(pcapFile(t, true, p...)), Options{JSON: true})
	if !strings.Contains(out, "cut by a gap: 20 bytes are missing behind it") || !strings.Contains(out, `"type":"gap","flow":1,"from":"client"`) {
		t.Error(out)
	}
}

// A file that is cut anywhere is shown up to there, and the error says where.
func TestCutFiles(t *testing.T) {
	for _, ng := range []bool{false, true} {
		file := pcapFile(t, ng, session(3)...)
		last, whole, early := 0, 0, 0
		for n := range len(file) {
			res, err := Decode(t.Context(), bytes.NewReader(file[:n]), io.Discard, Options{Protocol: "focas"})
			if res.Frames < last {
				t.Fatalf("cut at %d: %d frames, and %d when cut earlier", n, res.Frames, last)
			}
			last = res.Frames
			switch {
			case err == nil, errors.Is(err, ErrProtocol):
				whole++
			case errors.Is(err, ErrDamaged):
				if !strings.Contains(err.Error(), "inside packet ") {
					t.Fatalf("cut at %d: %v", n, err)
				}
			case errors.Is(err, ErrInput):
				early++
			default:
				t.Fatalf("cut at %d: %v", n, err)
			}
		}
		if last != 5 || whole > 12 || early > 300 {
			t.Errorf("pcapng %v: %d frames at the last cut, %d cuts between packets, %d in the header", ng, last, whole, early)
		}
	}
}

func gzipped(t testing.TB, b []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	if _, err := z.Write(b); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// Every kind of input may be gzipped; cut anywhere, it is shown up to there.
func TestGzip(t *testing.T) {
	for name, in := range map[string][]byte{
		"pcap": pcapFile(t, false, session(3)...), "pcapng": pcapFile(t, true, session(3)...), "hex": []byte("a0a0a0a0 0002 0101 0002 0002"),
		"transcript": []byte("patchbay transcript 1\n\n> 1 +0 data\n  a0a0a0a0 0002 0101 0002 0002\n"),
	} {
		t.Run(name, func(t *testing.T) {
			plain, err := Decode(t.Context(), bytes.NewReader(in), io.Discard, Options{Protocol: "focas"})
			if err != nil {
				t.Fatal(err)
			}
			file := gzipped(t, in)
			res, err := Decode(t.Context(), bytes.NewReader(file), io.Discard, Options{Protocol: "focas"})
			if err != nil || res != plain {
				t.Errorf("%+v %v, want %+v", res, err, plain)
			}
			for n := range len(file) - 1 {
				res, err := Decode(t.Context(), bytes.NewReader(file[:n]), io.Discard, Options{Protocol: "focas"})
				if err == nil || res.Frames > plain.Frames {
					t.Fatalf("cut at %d: %+v %v", n, res, err)
				}
			}
			damaged := bytes.Clone(file)
			damaged[len(damaged)-6] ^= 1 // of the checksum
			if res, err := Decode(t.Context(), bytes.NewReader(damaged), io.Discard, Options{Protocol: "focas"}); err == nil {
				t.Errorf("with a wrong checksum: %+v", res)
			}
		})
	}
	if _, err := Decode(t.Context(), bytes.NewReader([]byte{0x1f, 0x8b, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7}), io.Discard, Options{}); !errors.Is(err, ErrInput) || !strings.Contains(err.Error(), "gzip") {
		t.Error(err)
	}
	if _, err := Decode(t.Context(), bytes.NewReader(gzipped(t, nil)), io.Discard, Options{}); !errors.Is(err, ErrInput) || !strings.Contains(err.Error(), "empty") {
		t.Error(err)
	}
}

func TestDamagedFile(t *testing.T) {
	file := pcapFile(t, false, session(3)...)
	damaged := bytes.Clone(file)
	// the length of the last packet
	damaged[len(damaged)-len(session(1)[3].bytes(t))-8] = 0xff
	damaged[len(damaged)-len(session(1)[3].bytes(t))-6] = 0xff
	var out bytes.Buffer
	res, err := Decode(t.Context(), bytes.NewReader(damaged), &out, Options{})
	if !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), "packet 8") || res.Frames != 5 || !strings.Contains(out.String(), "not complete: ") {
		t.Errorf("%+v %v", res, err)
	}
}

// Packets that never get their turn are bounded.
func TestAheadIsBounded(t *testing.T) {
	var out []record
	ft := newFlowTable(&out, transcript.Limits{})
	p := packetParser{}
	for i := range 4000 {
		p = packetParser{from: p.from, to: p.to}
		p.tcp.SrcPort, p.tcp.Seq = 50000, uint32(10000+i*2000)
		p.data = make([]byte, 1000)
		if i == 0 {
			p.tcp.Seq = 0
		}
		ft.tcp(&p, 0)
		if ft.ahead > maxAhead+2*(1000+segmentCost) {
			t.Fatalf("%d bytes are held", ft.ahead)
		}
	}
	for i := range maxFlows + 10 {
		p.from = netip4(i)
		ft.tcp(&p, 0)
	}
	if len(ft.flows) > maxFlows {
		t.Errorf("%d flows are held", len(ft.flows))
	}
	ft.end()
	if ft.ahead != 0 {
		t.Errorf("%d bytes are held at the end", ft.ahead)
	}
}

func FuzzCapture(f *testing.F) {
	f.Add(pcapFile(f, true, session(1)...))
	f.Add(pcapFile(f, false, session(1)...))
	f.Add(pcapFile(f, true, wirePacket{udp: true, data: "x", snap: 43}, wirePacket{v6: true, vlan: true, data: "y"}))
	f.Add([]byte(dump(session(1)[2].bytes(f), wireshark)))
	f.Fuzz(func(t *testing.T, in []byte) {
		if len(in) > 1<<16 {
			return
		}
		res, err := Decode(t.Context(), bytes.NewReader(in), io.Discard, Options{Protocol: "focas"})
		if err == nil && res.Share.Decoded > res.Share.Bytes {
			t.Fatalf("%+v", res)
		}
		_, _ = Decode(t.Context(), bytes.NewReader(in), io.Discard, Options{Stats: true, JSON: true})
	})
}

func netip4(i int) netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}), 50000)
}
