package serial

import (
	"bytes"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/internal/north"
)

// closeWrite ends what a client sends, as nc -N does.
func closeWrite(t *testing.T, c net.Conn) {
	t.Helper()
	if err := c.(interface{ CloseWrite() error }).CloseWrite(); err != nil {
		t.Fatal(err)
	}
}

// A client that has closed its sending side gets the answers that come later, until the line has been silent for long enough.
func TestHalfClose(t *testing.T) {
	r := newRig(t, Config{}, Port{Device: "box", Path: "ports/1", Raw: "127.0.0.1:0", HalfClose: time.Minute},
		Port{Device: "box", Path: "ports/2", Raw: "127.0.0.1:0", HalfClose: time.Minute})
	one, two := dial(t, <-r.addr), dial(t, <-r.addr)
	ask := make([]byte, 5)
	until(t, "opening", func() bool { return r.box.Port("ports/1").IsOpen() && r.box.Port("ports/2").IsOpen() })
	one.Write([]byte("*IDN?"))
	closeWrite(t, one)
	if _, err := io.ReadFull(two, ask); err != nil || string(ask) != "*IDN?" {
		t.Fatalf("%q %v", ask, err)
	}
	for range 3 { // the port stays open for all of them
		two.Write([]byte("reply"))
		if _, err := io.ReadFull(one, ask); err != nil || string(ask) != "reply" {
			t.Fatalf("%q %v", ask, err)
		}
	}
}

// The time of silence counts from the last byte, and ends with the client.
func TestLinger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		c := &client{}
		gone := make(chan struct{})
		go func() {
			for range 5 {
				time.Sleep(4 * time.Second)
				c.passed.Add(1)
			}
		}()
		c.linger(t.Context(), gone, 5*time.Second)
		if took := time.Since(began); took < 25*time.Second || took > 30*time.Second {
			t.Errorf("silent since 20 s, waited for 5 s: ended after %v", took)
		}
		began = time.Now()
		time.AfterFunc(time.Second, func() { close(gone) })
		c.linger(t.Context(), gone, time.Hour)
		if took := time.Since(began); took != time.Second {
			t.Errorf("the client went after 1 s: ended after %v", took)
		}
		began = time.Now()
		c.linger(t.Context(), make(chan struct{}), 0)
		if took := time.Since(began); took != 0 {
			t.Errorf("nothing is configured: ended after %v", took)
		}
	})
}

// A client that only waits for answers gives way, to one of its own door and to one of another.
func TestHalfClosedGivesWay(t *testing.T) {
	for _, second := range []string{"raw", "rfc2217"} {
		t.Run(second, func(t *testing.T) {
			r := newRig(t, Config{}, Port{Device: "box", Path: "ports/3", Raw: "127.0.0.1:0", HalfClose: time.Hour})
			addr := <-r.addr
			one := dial(t, addr)
			one.Write([]byte("1"))
			b := make([]byte, 1)
			if _, err := io.ReadFull(one, b); err != nil {
				t.Fatal(err)
			}
			closeWrite(t, one)
			if second == "raw" {
				until(t, "letting the second client in", func() bool {
					two := dial(t, addr)
					defer two.Close()
					two.Write([]byte("2"))
					n, err := io.ReadFull(two, b)
					return err == nil && n == 1 && b[0] == '2'
				})
			} else {
				until(t, "letting another door in", func() bool {
					s, err := r.box.Gateway.OpenStream(t.Context(), driver.Who{Door: "rfc2217"}, "box", "ports/3", north.StreamOptions{Own: true, Granted: true})
					if err != nil {
						return false
					}
					defer s.Close()
					return true
				})
			}
			if _, err := io.ReadAll(one); err != nil {
				t.Errorf("the first client sees %v instead of the end", err)
			}
		})
	}
}

// What a client has sent before it went is not thrown away while the line takes it.
func TestSentBeforeTheEnd(t *testing.T) {
	r := newRig(t, Config{}, Port{Device: "box", Path: "ports/1", Raw: "127.0.0.1:0"}, Port{Device: "box", Path: "ports/2", Raw: "127.0.0.1:0"})
	one, two := dial(t, <-r.addr), dial(t, <-r.addr)
	until(t, "opening", func() bool { return r.box.Port("ports/1").IsOpen() && r.box.Port("ports/2").IsOpen() })
	data := everyByte(300_000) // more than fits anywhere on the way
	go func() { one.Write(data); one.Close() }()
	got := make([]byte, len(data))
	if n, err := io.ReadFull(two, got); err != nil || !bytes.Equal(got, data) {
		t.Errorf("%d bytes, %v", n, err)
	}
}

// What the device has not passed on to the line when the client goes keeps the port open.
func TestSettlesBeforeItCloses(t *testing.T) {
	for _, door := range []string{"raw", "rfc2217"} {
		p := Port{Device: "box", Path: "ports/1"}
		if door == "raw" {
			p.Raw = "127.0.0.1:0"
		} else {
			p.RFC2217 = "127.0.0.1:0"
		}
		r := newRig(t, Config{}, p)
		other, err := r.box.Gateway.OpenStream(t.Context(), driver.Who{Door: "test"}, "box", "ports/2", north.StreamOptions{Own: true, Granted: true, Wait: true})
		if err != nil {
			t.Fatal(err)
		}
		defer other.Close()
		port := r.box.Port("ports/1")
		c := dial(t, <-r.addr)
		until(t, "opening", port.IsOpen)
		port.Hold(true)
		c.Write([]byte("tail"))
		until(t, "the device has it", func() bool { return port.Unacked() == 4 })
		c.Close()
		for range 100 {
			if !port.IsOpen() {
				t.Fatalf("%s: the port is closed and the bytes are gone", door)
			}
			time.Sleep(time.Millisecond)
		}
		port.Hold(false)
		expect(t, other, "tail")
		until(t, "closing", func() bool { return !port.IsOpen() })
	}
}

// Somebody who takes the port by force ends the client, as somebody here does who takes it over.
func TestRawTakenByForce(t *testing.T) {
	for _, retake := range []bool{false, true} {
		r := newRig(t, Config{}, Port{Device: "box", Path: "ports/3", Raw: "127.0.0.1:0", Retake: retake})
		addr := <-r.addr
		c := dial(t, addr)
		b := make([]byte, 1)
		c.Write([]byte("x"))
		if _, err := io.ReadFull(c, b); err != nil {
			t.Fatal(err)
		}
		port := r.box.Port("ports/3")
		port.Release()
		if !retake {
			if _, err := io.ReadAll(c); err != nil {
				t.Errorf("the client sees %v instead of the end", err)
			}
			if port.IsOpen() {
				t.Error("the port was taken back")
			}
			c = dial(t, addr)
			c.Write([]byte("y"))
			if _, err := io.ReadFull(c, b); err != nil || b[0] != 'y' {
				t.Errorf("a new client: %q %v", b, err)
			}
			continue
		}
		until(t, "taking it back", port.IsOpen)
		until(t, "an echo", func() bool {
			c.Write([]byte("z"))
			c.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
			n, _ := c.Read(b)
			return n == 1
		})
	}
}
