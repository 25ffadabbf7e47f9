package is12

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/internal/testnet"
	"github.com/patchbay-io/patchbay/protocol/is12"
)

// A device that describes itself without an end is told from one that is large, and what it has too much of is said.
func TestDevicesWithoutAnEnd(t *testing.T) {
	manager := is12.MemberDescriptor{Role: "ClassManager", Oid: 3, ClassID: is12.ClassClassManager, Owner: 1}
	members := func(n int, class func(i int) is12.ClassID) []is12.MemberDescriptor {
		list := []is12.MemberDescriptor{manager}
		for i := range n {
			list = append(list, is12.MemberDescriptor{Oid: uint32(i + 10), ClassID: class(i), Owner: 1})
		}
		return list
	}
	properties := func(n int, typ, description string) is12.ClassDescriptor {
		d := is12.ClassDescriptor{}
		for i := range n {
			d.Properties = append(d.Properties, is12.PropertyDescriptor{Name: fmt.Sprint("p", i), TypeName: typ, Description: description, ID: is12.ID{Level: 3, Index: uint16(i)}})
		}
		return d
	}
	one := func(int) is12.ClassID { return is12.ClassWorker }
	long := strings.Repeat("x", 1<<20)
	for name, tt := range map[string]struct {
		members any
		class   is12.ClassDescriptor
		typ     is12.DatatypeDescriptor
		want    error
	}{
		"members": {make([]struct{}, is12.MaxItems+1), is12.ClassDescriptor{}, is12.DatatypeDescriptor{}, is12.ErrTooMany},
		"points":  {members(2000, one), properties(200, "NcBoolean", ""), is12.DatatypeDescriptor{}, errLarge},
		"choices": {members(200, one), properties(20, "Choice", ""), is12.DatatypeDescriptor{Type: is12.DatatypeEnum, Items: make([]is12.EnumItem, 1000)}, errLarge},
		"classes": {members(100, func(i int) is12.ClassID { return is12.ClassID{1, 2, 0, int32(i)} }), properties(1, "NcBoolean", long), is12.DatatypeDescriptor{}, errClasses},
		"datatypes": {members(1, one), func() is12.ClassDescriptor {
			d := properties(100, "", "")
			for i := range d.Properties {
				d.Properties[i].TypeName = fmt.Sprint("type", i)
			}
			return d
		}(), is12.DatatypeDescriptor{Type: is12.DatatypeEnum, Items: is12.List[is12.EnumItem]{{Name: long}}}, errClasses},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDouble()
			d.instead = func(method is12.ID) (any, bool) {
				switch method {
				case is12.MethodGetMemberDescriptors:
					return tt.members, true
				case is12.MethodGetControlClass:
					return tt.class, true
				case is12.MethodGetDatatype:
					return tt.typ, true
				}
				return nil, false
			}
			_, err := opened(t, d)
			if !errors.Is(err, tt.want) || driver.ClassOf(err) != driver.Unsupported {
				t.Errorf("%v, %v, want %v", err, driver.ClassOf(err), tt.want)
			}
		})
	}
}

// opened is the error of opening a device, and its session when there is none.
func opened(t *testing.T, d *double) (s driver.Session, err error) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		l := testnet.Listen()
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- d.Serve(ctx, l) }()
		u, _ := url.Parse("is12+ws://192.0.2.50:8080")
		if s, err = New().Open(t.Context(), driver.Env{Dial: l.DialContext, Log: slog.New(slog.DiscardHandler)}, driver.Target{Name: "desk", URL: u, Options: defaults()}); err == nil {
			s.Close()
		}
		cancel()
		<-done
	})
	return s, err
}

// All texts together have a limit, and what a text no longer needs is there for others.
func TestTextsOfAllPoints(t *testing.T) {
	room := 100
	a, b := &point{spec: device.Spec{Kind: device.String}, room: &room}, &point{spec: device.Spec{Kind: device.String}, room: &room}
	say := func(pt *point, n int, want device.Quality) {
		t.Helper()
		text, _ := json.Marshal(strings.Repeat("x", n))
		pt.take(text, time.Now())
		if pt.sample.Quality != want {
			t.Errorf("%d bytes are %v, want %v", n, pt.sample.Quality, want)
		}
		if used := a.textSize() + b.textSize(); used+room != 100 {
			t.Errorf("%d bytes are used, and there is room for %d", used, room)
		}
	}
	say(a, 60, device.Good)
	say(b, 41, device.Bad)
	say(b, 40, device.Good)
	say(a, 61, device.Bad)
	say(b, 100, device.Good)
	b.refuse(is12.StatusDeviceError, time.Now())
	say(a, 100, device.Good)
	say(a, maxText+1, device.Bad)
}
