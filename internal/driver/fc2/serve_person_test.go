package fc2

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/protocol/fc2/fc2server"
	"github.com/patchbay-io/patchbay/protocol/ocp1/ocaserver"
)

// Who clicks means the program that he was shown, and not one that has taken its place since.
func TestPersonDecidesAboutWhatWasShown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &proxy{device: "studio", env: driver.ServeEnv{Log: slog.New(slog.DiscardHandler)}}
		p.server = fc2server.New(ocaserver.NewDevice(ocaserver.Info{}), fc2server.Options{Person: p})
		type answer struct {
			ok  bool
			err error
		}
		ask := func(ctx context.Context, id uint64, name string) chan answer {
			c := make(chan answer, 1)
			go func() {
				ok, err := p.Approve(ctx, fc2server.Request{ID: id, Name: name})
				c <- answer{ok, err}
			}()
			synctest.Wait()
			return c
		}
		shown := func() (name string, waiting int64) {
			samples, _ := p.samples()
			for _, s := range samples {
				switch s.Path {
				case pairingRoot.Child("name"):
					name = s.Value.Str()
				case pairingRoot.Child("waiting"):
					waiting = s.Value.Int()
				}
			}
			return name, waiting
		}
		click := func(path device.Path) error {
			_, out := p.Do(t.Context(), path, nil)
			return out.Err
		}

		if err := click(approvePath); !errors.Is(err, fc2server.ErrNobodyAsks) {
			t.Errorf("nobody asks: %v", err)
		}
		ctx, leave := context.WithCancel(t.Context())
		stranger := ask(ctx, 1, "stranger")
		phone := ask(t.Context(), 2, "phone")
		if name, waiting := shown(); name != "stranger" || waiting != 1 {
			t.Errorf("%q is shown, %d wait", name, waiting)
		}
		leave()
		if a := <-stranger; a.err == nil {
			t.Errorf("%+v", a)
		}
		if err := click(approvePath); !errors.Is(err, errGone) {
			t.Errorf("the stranger has gone: %v", err)
		}
		if name, waiting := shown(); name != "phone" || waiting != 0 {
			t.Errorf("%q is shown, %d wait", name, waiting)
		}
		if err := click(approvePath); err != nil {
			t.Error(err)
		}
		if a := <-phone; !a.ok || a.err != nil {
			t.Errorf("%+v", a)
		}
		if err := click(denyPath); !errors.Is(err, errGone) {
			t.Errorf("answered already: %v", err)
		}
	})
}
