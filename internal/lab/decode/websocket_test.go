package decode

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/patchbay-io/patchbay/protocol/fc2"
	"github.com/patchbay-io/patchbay/protocol/is12"
	"github.com/patchbay-io/patchbay/protocol/ocp1"
	"github.com/patchbay-io/patchbay/protocol/rfc6455"
	"github.com/patchbay-io/patchbay/transcript"
)

// said is what one side sends at a time.
type said struct {
	server bool
	bytes  []byte
}

func upgraded(path, protocol string) []said {
	ask := "GET " + path + " HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
	yes := "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
	if protocol != "" {
		ask += "Sec-WebSocket-Protocol: " + protocol + "\r\n"
		yes += "Sec-WebSocket-Protocol: " + protocol + "\r\n"
	}
	return []said{{false, []byte(ask + "\r\n")}, {true, []byte(yes + "\r\n")}}
}

// ws is a frame, masked when the client sends it.
func ws(server bool, op rfc6455.Opcode, payload []byte) said {
	return said{server, rfc6455.Frame{Header: rfc6455.Header{Fin: true, Opcode: op, Masked: !server, Mask: [4]byte{0xa5, 0x3b, 0x12, 0x99}}, Payload: payload}.Append(nil)}
}

// packets is a conversation as TCP packets of size bytes at most.
func packets(port uint16, size int, conversation []said) []wirePacket {
	out := []wirePacket{{flags: "S", seq: 99, port: port}, {server: true, flags: "SA", seq: 499, ack: 100, port: port}}
	next := [2]uint32{100, 500}
	for _, s := range conversation {
		me := 0
		if s.server {
			me = 1
		}
		for at := 0; at < len(s.bytes); at += size {
			b := s.bytes[at:min(at+size, len(s.bytes))]
			out = append(out, wirePacket{server: s.server, seq: next[me], ack: next[1-me], flags: "A", data: string(b), port: port})
			next[me] += uint32(len(b))
		}
	}
	return out
}

func aes70Conversation() []said {
	get := ocp1.AppendCommands(nil, 1, true, ocp1.Command{Handle: 7, Target: ocp1.DeviceManagerONo, Method: ocp1.ID{Level: 3, Index: 4}})
	answer := ocp1.AppendResponses(nil, 1, ocp1.Response{Handle: 7, Count: 1, Params: ocp1.AppendString(nil, "Björk's box")})
	keep := ocp1.AppendKeepAlive(nil, 1, time.Second)
	return append(upgraded("/", ""), ws(false, rfc6455.Binary, keep), ws(false, rfc6455.Binary, get[:5]), ws(false, rfc6455.Ping, nil), ws(false, rfc6455.Binary, append(get[5:len(get):len(get)], keep...)),
		ws(true, rfc6455.Pong, nil), ws(true, rfc6455.Binary, answer), ws(true, rfc6455.Text, []byte("hello, this is no AES70")), ws(true, rfc6455.Close, []byte{3, 0xe8}))
}

func fc2Identities(t testing.TB) (client, server fc2.Identity) {
	t.Helper()
	var ids [2]fc2.Identity
	for i := range ids {
		var err error
		if ids[i], err = fc2.IdentityOf(bytes.Repeat([]byte{byte(0x11 * (i + 1))}, fc2.KeySize)); err != nil {
			t.Fatal(err)
		}
	}
	return ids[0], ids[1]
}

func fc2Conversation(t testing.TB) []said {
	t.Helper()
	client, server := fc2Identities(t)
	key, err := client.SessionKey(server.Public(), fc2.Client)
	if err != nil {
		t.Fatal(err)
	}
	random := strings.NewReader(strings.Repeat("not random at all", 20))
	c, err1 := fc2.NewTunnel(key, fc2.Client, random)
	s, err2 := fc2.NewTunnel(key, fc2.Server, random)
	if err1 != nil || err2 != nil {
		t.Fatal(err1, err2)
	}
	out := upgraded(client.Public().Path(), "")
	step := func(fromServer bool, b []byte, err error) []byte {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, ws(fromServer, rfc6455.Binary, b))
		return b
	}
	b := step(false, c.Start(nil), nil)
	b, err = s.Receive(nil, b)
	b = step(true, b, err)
	b, err = c.Receive(nil, b)
	b = step(false, b, err)
	if _, err = s.Receive(nil, b); err != nil {
		t.Fatal(err)
	}
	b, err = c.Seal(nil, ocp1.AppendKeepAlive(nil, 1, 3*time.Second))
	step(false, b, err)
	return out
}

func is12Conversation(t testing.TB) []said {
	t.Helper()
	frame := func(m is12.Message) []byte {
		b, err := m.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	return append(upgraded("/some/where", ""), ws(false, rfc6455.Text, frame(is12.Message{Type: is12.TypeSubscription, Subscriptions: []uint32{1}})),
		ws(true, rfc6455.Text, frame(is12.Message{Type: is12.TypeSubscriptionResponse, Subscriptions: []uint32{1}})))
}

// What is inside WebSockets is found in a capture, however the packets cut it, with what stands around it.
func TestWebSockets(t *testing.T) {
	client, server := fc2Identities(t)
	aes70 := []string{"request                  GET / HTTP/1.1", "opcode                   2  binary, final", "mask                     a53b1299", " aes70: KeepAlive 1s (12 bytes)",
		"aes70: CommandRrq: 1.GetDeviceName() (27 bytes)", "aes70: Response: 1.GetDeviceName = ", "Björk's box", "> 1 +", "ping, 0 bytes", "close, 1000 normal closure", "23 unknown bytes",
		"|hello, this is n|", "|o AES70|", "100.0 %"}
	for _, row := range []struct {
		name      string
		port      uint16
		talk      []said
		o         Options
		protocols string
		want      []string
		not       string
	}{
		{"aes70", 9000, aes70Conversation(), Options{}, "aes70, websocket", aes70[:len(aes70)-1], ""},
		{"aes70, asked for", 9000, aes70Conversation(), Options{Protocol: "aes70"}, "aes70, websocket", aes70[3:6], ""},
		{"aes70 on its own port, asked for with it", 65000, aes70Conversation(), Options{Protocol: "aes70", Port: 65000}, "aes70, websocket", aes70[3:6], ""},
		{"is12", 9000, is12Conversation(t), Options{}, "is12, websocket", []string{"is12: Subscription: [1]", "is12: SubscriptionResponse: [1]", "100.0 %"}, ""},
		{"fc2 without a key", 58322, fc2Conversation(t), Options{}, "fc2", []string{"fc2: header of the stream (24 bytes)", "fc2: record 1, nonce, 32 bytes inside, encrypted", "fc2: record 3, OCP.1, 12 bytes inside, encrypted", "unknown bytes"}, "KeepAlive"},
		{"fc2 with the keys of the client", 58322, fc2Conversation(t), Options{Keys: Keys{Identities: []fc2.Identity{client}, Servers: []fc2.PublicKey{server.Public()}}}, "aes70, fc2",
			[]string{"  > 1 +0.007000 fc2: record 3, OCP.1, 12 bytes inside (31 bytes)", "    > 1 +0.007000 aes70: KeepAlive 3s (12 bytes)", "100.0 %"}, "encrypted"},
		{"fc2 with the key of the server, elsewhere", 9000, fc2Conversation(t), Options{Protocol: "fc2", Keys: Keys{Identities: []fc2.Identity{server}}}, "aes70, fc2", []string{"aes70: KeepAlive 3s"}, "encrypted"},
	} {
		for _, size := range []int{1, 100, 1400} {
			var out bytes.Buffer
			res, err := Decode(t.Context(), bytes.NewReader(pcapFile(t, true, packets(row.port, size, row.talk)...)), &out, row.o)
			if err != nil || res.Protocol != row.protocols || res.Faulty != 0 || res.Gaps != 0 {
				t.Errorf("%s, %d bytes a packet: %+v, %v\n%s", row.name, size, res, err, out.String())
			}
			var sent int64
			for _, s := range row.talk {
				sent += int64(len(s.bytes))
			}
			if res.Share.Bytes != sent {
				t.Errorf("%s: %d bytes are counted, and %d were sent", row.name, res.Share.Bytes, sent)
			}
			text := out.String()
			if size == 1 {
				continue // the times differ
			}
			for _, w := range row.want {
				if size == 100 && strings.Contains(w, "+0.0") {
					continue
				}
				if !strings.Contains(text, w) {
					t.Errorf("%s, %d bytes a packet: no %q in\n%s", row.name, size, w, text)
				}
			}
			if row.not != "" && strings.Contains(text, row.not) {
				t.Errorf("%s, %d bytes a packet: %q in\n%s", row.name, size, row.not, text)
			}
		}
	}
}

// A recording that begins behind the upgrade is told by its frames.
func TestWebSocketFromTheMiddle(t *testing.T) {
	for name, talk := range map[string][]said{"aes70": aes70Conversation(), "is12": is12Conversation(t)} {
		out, res := decode(t, string(pcapFile(t, false, packets(9000, 1400, talk[2:])...)), Options{Brief: true})
		if res.Protocol != name+", websocket" || res.Faulty != 0 || !strings.Contains(out, name+": ") {
			t.Errorf("%s: %+v\n%s", name, res, out)
		}
		if strings.Contains(out, "binary, 12 bytes") || strings.Contains(out, "  > 1") {
			t.Errorf("%s, in brief, shows frames that only carry:\n%s", name, out)
		}
	}
}

// Live, in JSON and in statistics, what is carried has its own protocol.
func TestWebSocketOutputs(t *testing.T) {
	talk := aes70Conversation()
	events := []transcript.Event{{Flow: 1, Dir: transcript.Neither, Kind: transcript.Open, Text: "tcp x:9000"}}
	for i, s := range talk {
		dir := transcript.FromClient
		if s.server {
			dir = transcript.FromServer
		}
		events = append(events, transcript.Event{Flow: 1, Dir: dir, Kind: transcript.Data, Data: s.bytes, Offset: time.Duration(i)})
	}
	out, _ := live(t, Options{Brief: true}, events...)
	if !strings.Contains(out, "> 1 +0.000000 aes70: KeepAlive 1s (12 bytes)") || strings.Contains(out, "pieces") {
		t.Error(out)
	}
	out, _ = live(t, Options{JSON: true}, events...)
	for _, w := range []string{`"protocol":"websocket","flow":1,"from":"client","time":2e-9`, `"protocol":"aes70","level":1,"flow":1,"from":"server"`, `"hex":"3b00010000000b0400010001"`, `"level":1,"flow":1,"from":"server","time":8e-9,"offset":0,"length":23`} {
		if !strings.Contains(out, w) {
			t.Errorf("no %s in\n%s", w, out)
		}
	}
	file := string(pcapFile(t, true, packets(9000, 1400, talk)...))
	out, _ = decode(t, file, Options{Stats: true})
	for _, w := range []string{"client GetDeviceName", "client ping, final", "server messages without a name", "protocol aes70, websocket"} {
		if !strings.Contains(out, w) {
			t.Errorf("no %q in\n%s", w, out)
		}
	}
}

// Two recordings of the same conversation are the same, whatever the masks are; what differs is named where it is carried.
func TestDiffOfWebSockets(t *testing.T) {
	again := aes70Conversation()
	for i, s := range again {
		if !s.server && i > 1 {
			f, _, err := rfc6455.ParseFrame(s.bytes, 0)
			if err != nil {
				t.Fatal(err)
			}
			f.Mask = [4]byte{1, 2, 3, byte(i)}
			again[i].bytes = f.Append(nil)
		}
	}
	other := aes70Conversation()
	other[7] = ws(true, rfc6455.Binary, ocp1.AppendResponses(nil, 1, ocp1.Response{Handle: 7, Count: 1, Params: ocp1.AppendString(nil, "Björn's box")}))
	for _, row := range []struct {
		talk []said
		want DiffResult
		text string
	}{{again, DiffResult{Compared: 10}, "0 differ"}, {other, DiffResult{Compared: 10, Different: 1}, `pdu 1.values  "Björk's box"`}} {
		var out bytes.Buffer
		res, err := Diff(t.Context(), bytes.NewReader(pcapFile(t, true, packets(9000, 1400, aes70Conversation())...)), bytes.NewReader(pcapFile(t, true, packets(9000, 100, row.talk)...)), &out, Options{})
		if err != nil || res != row.want || !strings.Contains(out.String(), row.text) {
			t.Errorf("%+v, %v\n%s", res, err, out.String())
		}
	}
}

func TestLooksLikeWebSocket(t *testing.T) {
	ask, yes := upgraded("/", "")[0].bytes, upgraded("/", "")[1].bytes
	keep := ocp1.AppendKeepAlive(nil, 1, time.Second)
	frames := func(server bool, n int) (out []byte) {
		for range n {
			out = append(out, ws(server, rfc6455.Text, []byte("x")).bytes...)
		}
		return out
	}
	for _, row := range []struct {
		name           string
		client, server []byte
		want           int
	}{
		{"an upgrade", ask, nil, 96}, {"its answer alone", nil, yes, 96}, {"a page", []byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n"), nil, 0},
		{"half an upgrade", ask[:len(ask)-2], nil, 0}, {"AES70 in a frame", ws(false, rfc6455.Binary, keep).bytes, nil, 80},
		{"not masked by the client", ws(true, rfc6455.Binary, keep).bytes, nil, 0}, {"masked by the server", nil, ws(false, rfc6455.Binary, keep).bytes, 0},
		{"three frames", frames(false, 2), frames(true, 1), 55}, {"two frames", frames(false, 2), nil, 0}, {"FOCAS", []byte{0xa0, 0xa0, 0xa0, 0xa0, 0, 1}, nil, 0}, {"nothing", nil, nil, 0},
	} {
		if got := looksLikeWebSocket(row.client, row.server); got != row.want {
			t.Errorf("%s: %d, want %d", row.name, got, row.want)
		}
	}
}
