package rfc2217server_test

import (
	"bytes"
	"context"
	"io"
	"net"
	"testing"
	"testing/synctest"

	"github.com/patchbay-io/patchbay/internal/testnet"
	"github.com/patchbay-io/patchbay/protocol/rfc2217"
	"github.com/patchbay-io/patchbay/protocol/rfc2217/rfc2217client"
	"github.com/patchbay-io/patchbay/protocol/rfc2217/rfc2217server"
)

// directPort gives the test the function that pieces are offered to.
type directPort struct {
	port
	write func([]byte) int
}

func (p *directPort) Direct(write func([]byte) int) { p.write = write }

// A piece goes to the client at once up to the first byte that needs escaping, and not at all while the client wants none or binary is
// refused.
func TestDirect(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		line, end := testnet.Pipe(4096)
		p := &directPort{port: port{Reader: end, Writer: end, closers: []io.Closer{line, end}, events: make(chan [2]byte)}}
		client, server := testnet.Pipe(4096)
		served := make(chan error, 1)
		go func() {
			_, err := rfc2217server.Serve(t.Context(), server, p, rfc2217server.Options{TryWrite: func(b []byte) int {
				n, _ := server.Write(b[:min(len(b), 3)]) // as if there were no room for more
				return n
			}}, p.close)
			served <- err
		}()
		c, err := rfc2217client.Dial(t.Context(), func(context.Context, string, string) (net.Conn, error) { return client, nil }, "test:2217", rfc2217client.Options{})
		if err != nil {
			t.Fatal(err)
		}
		offer := func(b string, want int) {
			t.Helper()
			synctest.Wait()
			if n := p.write([]byte(b)); n != want {
				t.Errorf("of %q %d bytes are taken, want %d", b, n, want)
			}
			back := make([]byte, want)
			if _, err := io.ReadFull(c, back); err != nil || string(back) != b[:want] {
				t.Errorf("%q: the client has %q, %v", b, back, err)
			}
		}
		offer("a", 1)
		offer("abcd", 3)
		offer("a\xffb", 1)
		offer("\xff", 0)
		if err := c.Suspend(t.Context()); err != nil {
			t.Fatal(err)
		}
		offer("a", 0)
		if err := c.Resume(t.Context()); err != nil {
			t.Fatal(err)
		}
		offer("a", 1)
		if _, err := client.Write([]byte{rfc2217.IAC, rfc2217.DONT, rfc2217.OptBinary}); err != nil {
			t.Fatal(err)
		}
		offer("\r", 0)
		c.Close()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
}

// While answers wait for a client that does not read, nothing passes them by, and whoever has read from the line does not wait.
func TestDirectBehindAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		line, end := testnet.Pipe(4096)
		p := &directPort{port: port{Reader: end, Writer: end, closers: []io.Closer{line, end}, events: make(chan [2]byte)}}
		client, server := testnet.Pipe(4096)
		served := make(chan struct{})
		go func() {
			defer close(served)
			_, _ = rfc2217server.Serve(t.Context(), server, p, rfc2217server.Options{TryWrite: func([]byte) int {
				t.Error("the connection is not free")
				return 0
			}}, p.close)
		}()
		if _, err := client.Write(bytes.Repeat([]byte{rfc2217.IAC, rfc2217.AYT}, 2000)); err != nil { // the answers are longer than what fits
			t.Fatal(err)
		}
		synctest.Wait()
		if n := p.write([]byte("a")); n != 0 {
			t.Errorf("%d bytes are taken", n)
		}
		client.Close()
		<-served
	})
}
