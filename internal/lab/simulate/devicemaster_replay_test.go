package simulate

import (
	"context"
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/patchbay-io/patchbay/protocol/devicemaster"
	"github.com/patchbay-io/patchbay/protocol/devicemaster/dmclient"
)

// A box with an instrument that greets at its first opening and answers; port 2 belongs to somebody else.
const recordedBox = `patchbay transcript 1
protocol: devicemaster

> 1 +0.000000 data
  62 00 76 01
< 1 +0.010000 data
  62 00 76 10 38 00 60 00 00
> 1 +0.020000 data
  62 00 66 03 00
< 1 +0.030000 data
  62 00 67 03 00
< 1 +1.030000 data
  62 00 61 02 00 68 69
> 1 +5.000000 data
  62 00 61 02 00 3f 0d
< 1 +5.250000 data
  62 00 60 02 00 61 03 00 34 32 0d 65 18 00 72 01 00
> 1 +6.000000 data
  62 00 76 02 62 01 76 01
< 1 +6.010000 data
  62 00 76 20 62 01 76 11
> 1 +7.000000 data
  62 00 76 01
< 1 +7.010000 data
  62 00 76 10 00 00 61 05 00 61 67 61 69 6e
`

// A recorded line says what it said, when as much has been sent to it and after the same time; every opening takes the next one.
func TestRecordedBox(t *testing.T) {
	name := filepath.Join(t.TempDir(), "box.transcript")
	if err := os.WriteFile(name, []byte(recordedBox), 0o600); err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		d, err := New("devicemaster", url.Values{"file": {name}})
		if err != nil {
			t.Fatal(err)
		}
		local, err := NewLocalDevice(d)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
		done := make(chan error, 1)
		go func() { done <- local.Run(ctx) }()
		defer func() { cancel(); <-done }()
		l, err := dmclient.Dial(t.Context(), local.Dial, local.Host()+":4606", dmclient.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		if l.Ports() != 2 {
			t.Errorf("%d ports", l.Ports())
		}
		if _, err := l.Open(t.Context(), 1, dmclient.Settings{}); !errors.Is(err, dmclient.ErrBusy) {
			t.Errorf("somebody else's port: %v", err)
		}
		read := func(p *dmclient.Port, want string, after time.Duration) {
			t.Helper()
			began := time.Now()
			p.SetDeadline(began.Add(time.Minute))
			b := make([]byte, 100)
			n, err := p.Read(b)
			if took := time.Since(began); err != nil || string(b[:n]) != want || took != after {
				t.Errorf("%q after %v, %v; want %q after %v", b[:n], took, err, want, after)
			}
		}
		for range 2 {
			p, err := l.Open(t.Context(), 0, dmclient.Settings{})
			if err != nil {
				t.Fatal(err)
			}
			if p.Inputs() != devicemaster.AllInputs {
				t.Errorf("inputs %v", p.Inputs())
			}
			read(p, "hi", 1020*time.Millisecond)
			p.SetDeadline(time.Now().Add(time.Hour))
			if n, err := p.Read(make([]byte, 1)); err == nil {
				t.Errorf("%d bytes come unasked", n)
			}
			p.SetDeadline(time.Time{})
			for _, b := range []string{"M", "\r"} {
				if _, err := p.Write([]byte(b)); err != nil {
					t.Fatal(err)
				}
			}
			read(p, "42\r", 250*time.Millisecond)
			synctest.Wait()
			if p.Inputs() != devicemaster.DSR|devicemaster.CD || p.Counts().Framing != 1 {
				t.Errorf("inputs %v, %+v", p.Inputs(), p.Counts())
			}
			p.Close()

			if p, err = l.Open(t.Context(), 0, dmclient.Settings{}); err != nil {
				t.Fatal(err)
			}
			if p.Inputs() != 0 {
				t.Errorf("inputs at the second opening: %v", p.Inputs())
			}
			read(p, "again", 0)
			p.Close()
		}
	})
}

func TestRecordingsOfNoBox(t *testing.T) {
	if _, err := New("devicemaster", url.Values{"file": {"no such file"}}); err == nil || !strings.Contains(err.Error(), "no such file") {
		t.Error(err)
	}
	if d, err := New("devicemaster", url.Values{"file": {"../../../protocol/devicemaster/testdata/transcripts/published-port.transcript"}}); err != nil || len(d.Services) != 2 {
		t.Errorf("%+v, %v", d, err)
	}
}
