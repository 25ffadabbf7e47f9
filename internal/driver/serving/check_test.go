package serving_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/internal/driver/serving"
)

// options are valid when there is no error in them.
type options struct{ err error }

func (o options) Validate() error { return o.err }

type gate struct{ driver.Gate }

func TestCheck(t *testing.T) {
	fail := serving.Failing("127.0.0.1:1")
	one := []driver.Upstream{&upstream{}}
	for want, c := range map[string]struct {
		env driver.ServeEnv
		err error
	}{
		"":              {driver.ServeEnv{Upstreams: one, Gate: gate{}}, nil},
		"listen: wrong": {driver.ServeEnv{Upstreams: one, Gate: gate{}}, errors.New("listen: wrong")},
		"0 upstreams":   {driver.ServeEnv{Gate: gate{}}, nil},
		"2 upstreams":   {driver.ServeEnv{Upstreams: append(one, one...), Gate: gate{}}, nil},
		"no gate":       {driver.ServeEnv{Upstreams: one}, nil},
	} {
		err := fail.Check(c.env, options{c.err})
		if want == "" {
			if err != nil {
				t.Error(err)
			}
			continue
		}
		var e *driver.Error
		if !errors.As(err, &e) || e.Target != "127.0.0.1:1" || e.Op != "serve" || e.Class != driver.Internal || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	if err := fail(driver.ClassOf(context.DeadlineExceeded), context.DeadlineExceeded, "wait"); driver.HintOf(err) != "wait" {
		t.Error(err)
	}
}
