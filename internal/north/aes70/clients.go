package aes70

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver/serving"
	"github.com/patchbay-io/patchbay/internal/oca"
)

// showClients has the device show its controllers, when it does not do so already.
func (f *face) showClients() {
	if f.commands != nil {
		f.commands(f.clients)
		f.clients.Again()
	}
}

// hideClients takes the commands back; the points end with serving.Clients.Run.
func (f *face) hideClients() {
	if f.commands != nil {
		f.commands(nil)
	}
}

// points are those of the server itself, beside those of a server of the device's own.
func (f *face) points() []serving.Point {
	told := func(of map[string]string) func(time.Time) device.Value {
		return func(time.Time) device.Value {
			f.mu.Lock()
			defer f.mu.Unlock()
			var words []string
			for _, way := range slices.Sorted(maps.Keys(of)) {
				words = append(words, way+" "+of[way])
			}
			return device.OfString(strings.Join(words, ", "))
		}
	}
	return []serving.Point{
		{Name: "listen", Kind: device.String, Title: "AES70 listens on", Doc: "addresses that AES70 controllers connect to", Value: told(f.at)},
		{Name: "error", Kind: device.String, Title: "AES70 error", Doc: "why AES70 controllers cannot connect; empty: they can", Value: told(f.fails)},
		{Name: "forwarded", Kind: device.Int, Title: "AES70 changes", Doc: "changes that AES70 controllers have made", Value: serving.Count(f.carried.Load)},
		{Name: "refused", Kind: device.Int, Title: "AES70 refused", Doc: "changes of AES70 controllers that were not carried out", Value: serving.Count(f.refused.Load)},
	}
}

// now says where controllers connect in one way, or why they cannot.
func (f *face) now(w *oca.Way, addr string, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.at, w.Name)
	delete(f.fails, w.Name)
	if addr != "" {
		f.at[w.Name] = addr
	}
	if err != nil {
		f.fails[w.Name] = err.Error()
	}
}
