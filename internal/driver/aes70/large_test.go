package aes70

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/internal/testnet"
	"github.com/patchbay-io/patchbay/protocol/ocp1"
	"github.com/patchbay-io/patchbay/protocol/ocp1/ocaclient"
	"github.com/patchbay-io/patchbay/protocol/ocp1/ocaserver"
)

// A device can make every text as long as a message, and has thousands of objects: of each as much is kept as people can read.
func TestLongTexts(t *testing.T) {
	long := strings.Repeat("é", 9_000)
	d := ocaserver.NewDevice(ocaserver.Info{})
	b := d.Root()
	for range 8 {
		b = b.Block(long)
	}
	b.Gain(long, 0, 0, 1)
	text := d.Root().Text("Text", long)
	names := make([]string, 1500)
	for i := range names {
		names[i] = long[:600]
	}
	d.Root().Switch("Switch", 0, names...)
	synctest.Test(t, func(t *testing.T) {
		near, far := testnet.Pipe(8 << 20)
		done := make(chan error)
		go func() { done <- ocaserver.New(d, ocaserver.Options{}).ServeConn(t.Context(), far) }()
		opened, err := NewSession(t.Context(), near, "device", defaults())
		if err != nil {
			t.Fatal(err)
		}
		s := opened.(*session)
		for _, pt := range s.board.list {
			a := pt.spec.Attributes
			if len(pt.spec.Title) > maxName || len(a["role"]) > maxName || len(a["role-path"]) > maxRolePath || !utf8.ValidString(pt.spec.Title+a["role"]+a["role-path"]) {
				t.Errorf("%s: a title of %d bytes, a role of %d, a path of %d", pt.spec.Path, len(pt.spec.Title), len(a["role"]), len(a["role-path"]))
			}
		}
		if s.board.byPath["unnamed/unnamed/unnamed/unnamed/unnamed/unnamed/unnamed/unnamed/unnamed"] == nil {
			t.Errorf("%d points", len(s.board.list))
		}
		if got := s.board.byPath["text"].sample; got.Quality != device.Bad || got.Reason != device.ReasonInvalid || got.Value.Str() != "" {
			t.Errorf("a text of %d bytes is %v %v", len(long), got.Quality, got.Reason)
		}
		sw := s.board.byPath["switch"]
		if len(sw.labels.Items) != maxPositions || len(sw.labels.Items[0].Text) > maxName {
			t.Errorf("%d positions, and %d bytes of the first", len(sw.labels.Items), len(sw.labels.Items[0].Text))
		}
		sw.put(device.OfEnum(60_000), nil, time.Now())
		if len(sw.labels.Items) != maxPositions || sw.sample.Quality != device.Bad {
			t.Errorf("%d positions, %v", len(sw.labels.Items), sw.sample)
		}
		text.Set("short")
		samples, err := s.Read(t.Context(), []device.Path{"text"})
		if err != nil || samples[0].Value.Str() != "short" {
			t.Errorf("%v, %v", samples, err)
		}
		s.Close()
		<-done
	})
}

func TestTooLargeIsNotTriedAgain(t *testing.T) {
	for _, err := range []error{ocaclient.ErrTooMany, ocaclient.ErrTooDeep, ocaclient.ErrTooMuch} {
		if c := driver.ClassOf(wrap("open", "192.0.2.1:65000", err)); c != driver.Unsupported || c.Retry() {
			t.Errorf("%v is %v", err, c)
		}
	}
	if c := classOf(ocp1.ErrSync); c != driver.NotThisProtocol {
		t.Error(c)
	}
}
