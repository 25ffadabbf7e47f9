package fc2

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/patchbay-io/patchbay/transcript"
)

// workedSession is what both sides of the worked session send; the server's keep-alive is ours.
func workedSession(t testing.TB) (client, server []byte) {
	t.Helper()
	c, s := pair(t)
	client = c.Start(nil)
	server, err := s.Receive(nil, client)
	if err != nil {
		t.Fatal(err)
	}
	echo, err := c.Receive(nil, server)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Receive(nil, echo); err != nil {
		t.Fatal(err)
	}
	client = append(client, echo...)
	for _, plain := range []string{"3b00010000000b0400010001", "3b00010000001b0100010000001200000001000010150005000201", "01"} { // a message over two records
		if client, err = c.Seal(client, unhex(t, plain)); err != nil {
			t.Fatal(err)
		}
	}
	if server, err = s.Seal(server, unhex(t, "3b00010000000b0400010001")); err != nil {
		t.Fatal(err)
	}
	return client, server
}

func told(d *transcript.Dissection, client, server []byte, step int) (out []string, share transcript.Share) {
	add := func(ms []transcript.Message) {
		for i := range ms {
			m := &ms[i]
			share.Add(&m.Frame)
			line := fmt.Sprintf("%s%c %s", strings.Repeat("  ", m.Level), m.Dir, m.Frame.Summary)
			if m.Frame.Err != nil {
				line += " !" + m.Frame.Err.Error()
			}
			out = append(out, line)
		}
	}
	for _, side := range []struct {
		dir transcript.Direction
		b   []byte
	}{{transcript.FromClient, client}, {transcript.FromServer, server}} {
		for at := 0; at < len(side.b); at += step {
			add(d.Feed(&transcript.Event{Flow: 1, Dir: side.dir, Kind: transcript.Data, Data: side.b[at:min(at+step, len(side.b))]}))
		}
		add(d.Feed(&transcript.Event{Flow: 1, Dir: side.dir, Kind: transcript.Close}))
	}
	add(d.End())
	return out, share
}

func TestDissector(t *testing.T) {
	a, b := identity(t, 0x11), identity(t, 0x22)
	client, server := workedSession(t)
	inside := []string{
		"> header of the stream",
		"> record 1, nonce, 32 bytes inside",
		"> record 2, echo of the nonce, 32 bytes inside",
		"> record 3, OCP.1, 12 bytes inside",
		"  > KeepAlive 1s",
		"> record 4, OCP.1, 27 bytes inside",
		"> record 5, OCP.1, 1 bytes inside",
		"  > CommandRrq: 4117.5.2(01)",
		"< header of the stream",
		"< record 1, nonce, 32 bytes inside",
		"< record 2, echo of the nonce, 32 bytes inside",
		"< record 3, OCP.1, 12 bytes inside",
		"  < KeepAlive 1s",
	}
	var outside []string
	for _, s := range inside {
		if strings.Contains(s, "record") {
			s += ", encrypted"
		}
		if s[0] != ' ' {
			outside = append(outside, s)
		}
	}
	damaged := append([]byte(nil), client...)
	damaged[len(damaged)-1] ^= 1
	for _, row := range []struct {
		name    string
		keys    Keys
		client  []byte
		want    []string
		decoded int // of the bytes, in percent
	}{
		{"with the client's identity", Keys{[]Identity{identity(t, 0x33), a}, []PublicKey{a.Public(), b.Public()}}, client, inside, 99},
		{"with the server's identity", Keys{[]Identity{b}, nil}, client, inside, 99},
		{"without the server's key", Keys{[]Identity{a}, nil}, client, outside, 12},
		{"with nobody's key", Keys{[]Identity{identity(t, 0x33)}, []PublicKey{b.Public()}}, client, outside, 12},
		{"without keys", Keys{}, client, outside, 12},
		{"changed on the way", Keys{[]Identity{b}, nil}, damaged, append(append(append([]string(nil), inside[:6]...), inside[6]+" !"+ErrRecord.Error(),
			"  > 27 bytes that are no message !the recording ends inside a message: message ends too early"), inside[8:]...), 80},
		{"a length that lies", Keys{}, append(append([]byte(nil), client[:24]...), 0x05, 0x15), append([]string{outside[0], "> a record of 1301 bytes !" + ErrLong.Error()}, outside[6:]...), 12},
		{"cut", Keys{}, client[:30], append([]string{outside[0], "> the beginning of a record !" + errCut.Error()}, outside[6:]...), 12},
	} {
		for _, step := range []int{1, 7, 1 << 20} {
			d := transcript.NewDissection(func() transcript.Dissector { return NewDissector(a.Public(), row.keys) })
			got, share := told(d, row.client, server, step)
			if diff := cmp.Diff(row.want, got); diff != "" {
				t.Errorf("%s, in steps of %d: -want +got\n%s", row.name, step, diff)
			}
			if share.Bytes != int64(len(row.client)+len(server)) || share.Percent() < float64(row.decoded) || row.decoded < 50 && share.Percent() > 60 {
				t.Errorf("%s: %d of %d bytes decoded, and %d were there", row.name, share.Decoded, share.Bytes, len(row.client)+len(server))
			}
		}
	}
}

// FuzzDissector: whatever comes, every byte is in one frame, in order.
func FuzzDissector(f *testing.F) {
	id := identity(f, 0x11)
	client, server := workedSession(f)
	f.Add(client)
	f.Add(server)
	f.Fuzz(func(t *testing.T, b []byte) {
		d := NewDissector(id.Public(), Keys{[]Identity{identity(t, 0x22)}, nil})
		at := int64(0)
		for _, fr := range append(d.Feed(transcript.FromClient, b), d.End(transcript.FromClient)...) {
			if fr.Offset != at || fr.Carried > fr.Length {
				t.Fatalf("%+v, expected at %d", fr, at)
			}
			at += int64(fr.Length)
		}
		if at != int64(len(b)) {
			t.Fatalf("%d of %d bytes are in frames", at, len(b))
		}
	})
}
