package dmclient_test

import (
	"bytes"
	"net"
	"sync"
	"testing"

	"github.com/patchbay-io/patchbay/protocol/devicemaster"
	"github.com/patchbay-io/patchbay/protocol/devicemaster/dmclient"
	"github.com/patchbay-io/patchbay/protocol/devicemaster/dmsim"
)

// heard is what a box is sent.
type heard struct {
	net.Conn
	mu *sync.Mutex
	to *bytes.Buffer
}

func (h *heard) Read(b []byte) (int, error) {
	n, err := h.Conn.Read(b)
	h.mu.Lock()
	h.to.Write(b[:n])
	h.mu.Unlock()
	return n, err
}

// Lines that were raised fall before the port is given back, as with the maker's drivers (spec 5.3: 64 00 00, then 76 02); those that
// nobody set are left alone.
func TestLinesFallWithThePort(t *testing.T) {
	for _, row := range []struct {
		name    string
		outputs *devicemaster.Outputs
		want    string
	}{
		{"raised", new(lines), "\x62\x02\x64\x00\x00\x76\x02"},
		{"break", new(devicemaster.Break), "\x62\x02\x64\x00\x00\x76\x02"},
		{"down", new(devicemaster.Outputs), "\x62\x02\x76\x02"},
		{"never set", nil, "\x62\x02\x76\x02"},
	} {
		t.Run(row.name, func(t *testing.T) {
			var mu sync.Mutex
			var sent bytes.Buffer
			inBox(t, dmsim.Options{WrapConn: func(c net.Conn) net.Conn { return &heard{c, &mu, &sent} }}, func(b *box) {
				l := b.dial(dmclient.Options{})
				defer l.Close()
				p, err := l.Open(b.Context(), 2, dmclient.Settings{Baud: 9600, Outputs: row.outputs})
				if err != nil {
					t.Fatal(err)
				}
				mu.Lock()
				sent.Reset()
				mu.Unlock()
				if err := p.Close(); err != nil {
					t.Fatal(err)
				}
				mu.Lock()
				defer mu.Unlock()
				if sent.String() != row.want {
					t.Errorf("sent % x; want % x", sent.String(), row.want)
				}
			})
		})
	}
}
