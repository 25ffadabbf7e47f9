package fc2

import (
	"bytes"
	"encoding/hex"
	"errors"
	"strings"
	"testing"
	"testing/iotest"

	"golang.org/x/crypto/nacl/box"

	"github.com/patchbay-io/patchbay/protocol/ocp1"
	"github.com/patchbay-io/patchbay/protocol/secretstream"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.Join(strings.Fields(s), ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func identity(t testing.TB, fill byte) Identity {
	t.Helper()
	id, err := IdentityOf(bytes.Repeat([]byte{fill}, KeySize))
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// Keys made with libsodium 1.0.18.
func TestKeys(t *testing.T) {
	client, server := identity(t, 0x11), identity(t, 0x22)
	if got := client.Public().String(); got != "7b4e909bbe7ffe44c465a220037d608ee35897d31ef972f07f74892cb0f73f13" {
		t.Errorf("client's public key %s", got)
	}
	if got := server.Public().String(); got != "0faa684ed28867b97f4a6a2dee5df8ce974e76b7018e3f22a1c4cf2678570f20" {
		t.Errorf("server's public key %s", got)
	}
	a, err := client.SessionKey(server.Public(), Client)
	b, err2 := server.SessionKey(client.Public(), Server)
	if want := "978ca0966b217c096a6ea3475f6ab898fcb7877fe9fd294fe596431b23ef063e"; err != nil || err2 != nil || a != b || hex.EncodeToString(a[:]) != want {
		t.Errorf("session keys %x and %x, want %s", a, b, want)
	}
	if c, _ := client.SessionKey(server.Public(), Server); c == a {
		t.Error("the sides make no difference")
	}
	if s := client.String() + client.GoString(); strings.Contains(s, "1111") {
		t.Errorf("the secret is printed: %s", s)
	}
	if !bytes.Equal(client.Secret(), bytes.Repeat([]byte{0x11}, KeySize)) || client.IsZero() || !(Identity{}).IsZero() {
		t.Error("secret")
	}
	for name, weak := range map[string]string{"zero": "", "one": "01", "order 8": "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"} {
		var k PublicKey
		copy(k[:], unhex(t, weak))
		if _, err := client.SessionKey(k, Client); !errors.Is(err, ErrWeakKey) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := (Identity{}).SessionKey(server.Public(), Client); err == nil {
		t.Error("no identity")
	}
	if _, err := NewIdentity(iotest.ErrReader(errors.New("no"))); err == nil {
		t.Error("no random numbers")
	}
	if _, err := IdentityOf([]byte{1}); !errors.Is(err, ErrKey) {
		t.Error(err)
	}
}

func TestPaths(t *testing.T) {
	k := identity(t, 0x11).Public()
	for path, want := range map[string]bool{k.Path(): true, strings.ToUpper(k.Path()): true, "/": false, "": false, k.String(): false, k.Path() + "/": false,
		k.Path() + "?x": false, "/" + strings.Repeat("0", 64): false, "/" + strings.Repeat("g", 64): false, "/x" + k.Path(): false, k.Path()[:64]: false,
		k.Path() + " ": false, "/ " + k.String(): false} {
		got, ok := KeyOfPath(path)
		if ok != want || ok && got != k {
			t.Errorf("%s: %v %v", path, got, ok)
		}
	}
	for _, c := range []struct {
		texts []string
		ok    bool
	}{{[]string{"txtvers=1", "pk=" + k.String()}, true}, {[]string{k.String()}, true}, {[]string{"a=b", "key=" + k.String() + "0"}, false}, {[]string{"key= " + k.String()}, false}, {nil, false}} {
		if got, ok := KeyOfTXT(c.texts); ok != c.ok || ok && got != k {
			t.Errorf("%v: %v %v", c.texts, got, ok)
		}
	}
}

// random gives bytes in the order in which a tunnel wants them: header, nonce.
func random(from byte, nonce byte) *bytes.Reader {
	var b []byte
	for i := range secretstream.HeaderSize {
		b = append(b, from+byte(i))
	}
	return bytes.NewReader(append(b, bytes.Repeat([]byte{nonce}, NonceSize)...))
}

// pair is both ends before the handshake.
func pair(t testing.TB) (client, server *Tunnel) {
	t.Helper()
	c, s := identity(t, 0x11), identity(t, 0x22)
	key, err := c.SessionKey(s.Public(), Client)
	if err != nil {
		t.Fatal(err)
	}
	if client, err = NewTunnel(key, Client, random(0x50, 0xa1)); err != nil {
		t.Fatal(err)
	}
	if server, err = NewTunnel(key, Server, random(0x70, 0xb2)); err != nil {
		t.Fatal(err)
	}
	return client, server
}

// The worked session, byte for byte, as libsodium makes it.
func TestWorkedSession(t *testing.T) {
	client, server := pair(t)
	c1 := client.Start(nil)
	want := func(name string, got []byte, hexText string) {
		t.Helper()
		if w := unhex(t, hexText); !bytes.Equal(got, w) {
			t.Errorf("%s is\n%x, want\n%x", name, got, w)
		}
	}
	want("C1", c1, `505152535455565758595a5b5c5d5e5f6061626364656667 0031
		afd65502c55b7fc4ffe72e731a49dfbb07f8a8fb14adaa55d9ea6ea79f38bbbacfe3e56234e39d25430d0a8168e7b709b7`)
	if len(server.Start(nil)) != 0 {
		t.Error("the server speaks first")
	}
	answer, err := server.Receive(nil, c1)
	if err != nil {
		t.Fatal(err)
	}
	want("S1 S2", answer, `707172737475767778797a7b7c7d7e7f8081828384858687 0031
		603ab581487a2e8e745642ecf9cab82226221731cf692f20725e5de05d989795efc0da4883a4f799a41804708d64feb2b4
		0031 3c56a864597ad87a1d6bf804d1b76da2274f1ffefae7ed07fa8f58b658d2c7ce1d64a0303b2ea8155d11b11523a672f38c`)
	c2, err := client.Receive(nil, answer)
	if err != nil || !client.Ready() || server.Ready() {
		t.Fatalf("%v, client %v, server %v", err, client.Ready(), server.Ready())
	}
	want("C2", c2, `0031 9f9c0ef8e3399e9b4e8fcb708c661cdd8633c3a83e46fdbdf6a426785d1ed397c358f5b436b91d450841e1d7059529b962`)
	if _, err := server.Receive(nil, c2); err != nil || !server.Ready() {
		t.Fatal(err)
	}
	keepAlive := unhex(t, "3b00010000000b0400010001")
	c3, err := client.Seal(nil, keepAlive)
	if err != nil {
		t.Fatal(err)
	}
	want("C3", c3, "001d 6da462391cfb57b1394410fae0c2ff3fb97d28d9cbd0990c4e16872f8a")
	set := unhex(t, "3b00010000001b010001000000120000000100001015000500020101")
	c4, err := client.Seal(nil, set)
	if err != nil {
		t.Fatal(err)
	}
	want("C4", c4, "002d 62bcc8b03866f7d6df07290446ecee43fc304db1a0e987e6ac3e602d8c1d2eaed1b035ac9896cc370368fc2311")
	if _, err := server.Receive(nil, append(c3, c4...)); err != nil {
		t.Fatal(err)
	}
	want("what the server reads", server.Plain(), hex.EncodeToString(keepAlive)+hex.EncodeToString(set))
}

// ready is both ends after the handshake.
func ready(t testing.TB) (client, server *Tunnel) {
	t.Helper()
	client, server = pair(t)
	answer, err := server.Receive(nil, client.Start(nil))
	if err == nil {
		answer, err = client.Receive(nil, answer)
	}
	if err == nil {
		_, err = server.Receive(nil, answer)
	}
	if err != nil {
		t.Fatal(err)
	}
	return client, server
}

// Long data is cut into records of at most 1283 bytes, and records may come in any pieces.
func TestLongAndCut(t *testing.T) {
	for _, size := range []int{1, 7, 4096, 1 << 20} {
		client, server := ready(t)
		data := bytes.Repeat([]byte("0123456789abcdef"), 8440/16+1)
		sealed, err := client.Seal(nil, data)
		if err != nil {
			t.Fatal(err)
		}
		if n := len(sealed) - len(data); n != (len(data)/MaxPlain+1)*(2+secretstream.Overhead) {
			t.Errorf("%d bytes more than the data", n)
		}
		var got []byte
		for len(sealed) > 0 {
			n := min(size, len(sealed))
			if _, err := server.Receive(nil, sealed[:n]); err != nil {
				t.Fatal(err)
			}
			got = append(got, server.Plain()...)
			sealed = sealed[n:]
		}
		if !bytes.Equal(got, data) {
			t.Errorf("in pieces of %d: %d bytes of %d came", size, len(got), len(data))
		}
	}
}

// Whatever is wrong ends the tunnel for good, and nothing of it is believed.
func TestTunnelEnds(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(t *testing.T, record []byte) []byte
		want  error
	}{
		"changed":        {func(_ *testing.T, r []byte) []byte { r[9] ^= 1; return r }, ErrRecord},
		"length":         {func(_ *testing.T, r []byte) []byte { r[1]--; return r }, ErrRecord},
		"repeated":       {func(_ *testing.T, r []byte) []byte { return append(r, r...) }, ErrRecord},
		"first left out": {func(t *testing.T, r []byte) []byte { return r[2+int(r[1]):] }, ErrRecord},
		"too long":       {func(*testing.T, []byte) []byte { return []byte{0xff, 0xff} }, ErrLong},
		"just too long":  {func(*testing.T, []byte) []byte { return []byte{0x05, 0x15} }, ErrLong},
		"too short":      {func(*testing.T, []byte) []byte { return []byte{0, 16} }, ErrShort},
	} {
		client, server := ready(t)
		one, err := client.Seal(nil, []byte("first"))
		if err != nil {
			t.Fatal(err)
		}
		if one, err = client.Seal(one, []byte("second")); err != nil {
			t.Fatal(err)
		}
		if _, err := server.Receive(nil, c.spoil(t, one)); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
		if server.Ready() {
			t.Errorf("%s: it goes on", name)
		}
		if _, err := server.Receive(nil, nil); !errors.Is(err, c.want) {
			t.Errorf("%s: the error does not stay: %v", name, err)
		}
	}
	client, _ := pair(t)
	if _, err := client.Seal(nil, []byte("x")); !errors.Is(err, ErrNotReady) {
		t.Errorf("before the handshake: %v", err)
	}
	if _, err := client.Receive(nil, client.Start(nil)); !errors.Is(err, ErrSameNonce) {
		t.Errorf("our own message back: %v", err)
	}
	// A server with another key cannot read the first record.
	other, err := identity(t, 0x33).SessionKey(identity(t, 0x11).Public(), Server)
	if err != nil {
		t.Fatal(err)
	}
	wrong, err := NewTunnel(other, Server, random(0x70, 0xb2))
	if err != nil {
		t.Fatal(err)
	}
	fresh, _ := pair(t)
	if _, err := wrong.Receive(nil, fresh.Start(nil)); !errors.Is(err, ErrRecord) {
		t.Errorf("a wrong key: %v", err)
	}
	for name, c := range map[string]struct {
		records [][]byte
		tag     secretstream.Tag
		want    error
	}{"echo": {[][]byte{bytes.Repeat([]byte{9}, NonceSize), bytes.Repeat([]byte{8}, NonceSize)}, 0, ErrEcho}, "nonce": {[][]byte{{1}}, 0, ErrNonce},
		"tag": {[][]byte{bytes.Repeat([]byte{9}, NonceSize)}, secretstream.TagFinal, ErrTag}} {
		client, _ := pair(t)
		push, header, err := secretstream.NewPusher(client.key[:], random(1, 1))
		if err != nil {
			t.Fatal(err)
		}
		b := header[:]
		for _, r := range c.records {
			b = append(b, 0, byte(len(r)+secretstream.Overhead))
			if b, err = push.Push(b, r, nil, c.tag); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := client.Receive(nil, b); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	if _, err := NewTunnel([KeySize]byte{}, Client, bytes.NewReader(nil)); err == nil {
		t.Error("no random numbers")
	}
	if _, err := NewTunnel([KeySize]byte{}, Client, bytes.NewReader(make([]byte, 24))); err == nil {
		t.Error("no random numbers for the nonce")
	}
}

// The request for approval as libsodium and Go make it, and the exchange of a program in the field.
func TestPairing(t *testing.T) {
	client, server := identity(t, 0x11), identity(t, 0x22)
	var nonce []byte
	for i := range 24 {
		nonce = append(nonce, 0x30+byte(i))
	}
	request, err := AppendRequest(nil, client, server.Public(), "Gateway", bytes.NewReader(nonce))
	if want := hex.EncodeToString(nonce) + "51e6439376e9dbc31ce1ce0c7e737193df63c3e9311434"; err != nil || hex.EncodeToString(request) != want {
		t.Errorf("%x, %v; want %s", request, err, want)
	}
	if name, err := OpenRequest(request, server, client.Public()); err != nil || name != "Gateway" {
		t.Errorf("%q, %v", name, err)
	}
	for what, bad := range map[string][]byte{"nothing": nil, "short": request[:39], "changed": append(append([]byte{}, request[:30]...), request[31]^1), "long": make([]byte, 1000)} {
		if _, err := OpenRequest(bad, server, client.Public()); !errors.Is(err, ErrRequest) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if _, err := OpenRequest(request, client, client.Public()); !errors.Is(err, ErrRequest) {
		t.Errorf("for another server: %v", err)
	}
	if _, err := OpenRequest(request, server, PublicKey{}); err == nil {
		t.Error("without a key")
	}
	for _, name := range []string{"\xff", strings.Repeat("x", MaxName+1)} {
		if _, err := AppendRequest(nil, client, server.Public(), name, bytes.NewReader(nonce)); !errors.Is(err, ErrName) {
			t.Errorf("%.10q: %v", name, err)
		}
	}
	if _, err := AppendRequest(nil, client, PublicKey{}, "x", bytes.NewReader(nonce)); err == nil {
		t.Error("to no server")
	}
	if _, err := AppendRequest(nil, client, server.Public(), "x", bytes.NewReader(nil)); err == nil {
		t.Error("without random numbers")
	}
	for text, ok := range map[string]bool{"00112233445566778899aabbccddeeff": true, " 00 11\n22 ": true, "": false, "0": false, "xy": false, strings.Repeat("00", MaxCode+1): false} {
		if b, err := ParseCode(text); (err == nil) != ok || ok && FormatCode(b) != strings.Join(strings.Fields(text), "") {
			t.Errorf("%.40q: %x, %v", text, b, err)
		}
	}
	// GetMembers of the onboarding endpoint, with the agent and its class.
	members := ocp1.AppendList(nil, []ocp1.ObjectIdentification{{ONo: AgentONo, Class: AgentClass}}, ocp1.AppendObjectIdentification)
	message := ocp1.AppendResponses(nil, 4, ocp1.Response{Count: 1, Params: members})
	if want := "3b000400000029030001000000200000000000010001000010000006000" + "10002ffff0000130e00010001"; hex.EncodeToString(message) != want {
		t.Errorf("%x, want %s", message, want)
	}
}

// FuzzTunnel: nothing that a stranger sends is believed, and the server survives it.
func FuzzTunnel(f *testing.F) {
	client, _ := pair(f)
	f.Add(client.Start(nil))
	f.Add([]byte{0, 0x31})
	f.Fuzz(func(t *testing.T, b []byte) {
		_, server := pair(t)
		_, _ = server.Receive(nil, b)
		if server.Ready() || len(server.Plain()) > 0 {
			t.Fatal("a stranger got in")
		}
		id := identity(t, 0x22)
		if name, err := OpenRequest(b, id, identity(t, 0x11).Public()); err == nil && name != "" {
			t.Fatalf("a stranger is called %q", name)
		}
		if k, ok := KeyOfPath(string(b)); ok && !strings.EqualFold(k.Path(), string(b)) {
			t.Fatal(k)
		}
		_, _ = ParseCode(string(b))
	})
}

// What no program of ours would send: names that are none, and a public key with which the secret is known to everybody, so that
// the box proves nothing.
func TestOpenRequestRefuses(t *testing.T) {
	server, client := identity(t, 0x22), identity(t, 0x11)
	sealed := func(name string) []byte {
		nonce, secret, peer := [boxNonce]byte{1}, [KeySize]byte(client.Secret()), [KeySize]byte(server.Public())
		return box.Seal(bytes.Clone(nonce[:]), []byte(name), &nonce, &peer, &secret)
	}
	weak := PublicKey{1} // of order 1
	var shared [KeySize]byte
	peer, any := [KeySize]byte(weak), [KeySize]byte{9}
	box.Precompute(&shared, &peer, &any)
	nonce := [boxNonce]byte{1}
	for _, c := range []struct {
		what    string
		client  PublicKey
		request []byte
		want    error
	}{
		{"a name of 256 bytes", client.Public(), sealed(strings.Repeat("x", MaxName)), nil},
		{"a longer name", client.Public(), sealed(strings.Repeat("x", MaxName+1)), ErrRequest},
		{"no UTF-8", client.Public(), sealed("\xff"), ErrName},
		{"a weak key", weak, box.SealAfterPrecomputation(bytes.Clone(nonce[:]), []byte("stranger"), &nonce, &shared), ErrWeakKey},
		{"nothing", client.Public(), nil, ErrRequest},
		{"no box", client.Public(), nonce[:], ErrRequest},
	} {
		if name, err := OpenRequest(c.request, server, c.client); !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
			t.Errorf("%s: %q, %v; want %v", c.what, name, err, c.want)
		}
	}
}

// FuzzSpoiled: whatever is done to the records on their way, what comes out is what was said, up to where it was spoiled.
func FuzzSpoiled(f *testing.F) {
	for what := range byte(5) {
		f.Add([]byte("3b00010000000b0400010001"), uint16(40), what, []byte("x"), uint8(7))
		f.Add(bytes.Repeat([]byte{7}, 3000), uint16(1302), what, bytes.Repeat([]byte{0}, 19), uint8(200))
	}
	f.Fuzz(func(t *testing.T, data []byte, at uint16, what byte, with []byte, size uint8) {
		client, server := ready(t)
		var stream []byte
		for rest := data; len(rest) > 0; {
			n := min(len(rest), 1+int(size)*7)
			var err error
			if stream, err = client.Seal(stream, rest[:n]); err != nil {
				t.Fatal(err)
			}
			rest = rest[n:]
		}
		if len(stream) == 0 {
			return
		}
		i := int(at) % len(stream)
		end := min(i+len(with), len(stream))
		whole := bytes.Clone(stream)
		switch what % 5 {
		case 0: // other bytes in place of some
			copy(stream[i:], with)
		case 1: // some are left out
			stream = append(stream[:i:i], stream[end:]...)
		case 2: // and others put in
			stream = append(append(stream[:i:i], with...), stream[i:]...)
		case 3: // the same twice
			stream = append(stream[:end:end], stream[i:]...)
		case 4: // cut
			stream = stream[:i]
		}
		var got []byte
		var err error
		for rest := stream; len(rest) > 0 && err == nil; {
			n := min(len(rest), 1+int(size))
			_, err = server.Receive(nil, rest[:n])
			got = append(got, server.Plain()...)
			rest = rest[n:]
		}
		if !bytes.HasPrefix(data, got) {
			t.Fatalf("%x comes out, %x was said", got, data)
		}
		if bytes.Equal(stream, whole) && (err != nil || !bytes.Equal(got, data)) {
			t.Fatalf("nothing was spoiled: %v, %d bytes of %d", err, len(got), len(data))
		}
	})
}

func BenchmarkTunnel(b *testing.B) {
	client, server := ready(b)
	data := bytes.Repeat([]byte{7}, 1200)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	var buf []byte
	for b.Loop() {
		buf, _ = client.Seal(buf[:0], data)
		if _, err := server.Receive(nil, buf); err != nil {
			b.Fatal(err)
		}
		server.Plain()
	}
}
