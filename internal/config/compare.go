package config

import (
	"crypto/sha256"
	"maps"
	"slices"
	"strings"
)

// Difference is what a configuration changes against the one in force.
type Difference struct {
	// Gateway holds the keys of the gateway itself that differ, such as "listen".
	Gateway []string
	// Devices are all devices of both, those of the new one in its order, then those that are gone.
	Devices []DeviceDifference
}

// DeviceDifference is what becomes of one device.
type DeviceDifference struct {
	Name string
	What What
	Keys []string // that differ, for Restarted and Changed; sorted
}

// What becomes of a device when a configuration is taken over.
type What string

// What can become of a device.
const (
	Added     What = "added"
	Removed   What = "removed"
	Restarted What = "restarted" // its connection is opened anew
	Changed   What = "changed"   // labels or permissions; its connection stays
	Unchanged What = "unchanged"
)

// Compare says what next changes against before.
func Compare(before, next *Config) Difference {
	var d Difference
	d.Gateway = differing(textOf(before.settings()), textOf(next.settings()))
	old := map[string]*Device{}
	for i := range before.Devices {
		old[before.Devices[i].Name] = &before.Devices[i]
	}
	for i := range next.Devices {
		n := &next.Devices[i]
		o := old[n.Name]
		delete(old, n.Name)
		x := DeviceDifference{Name: n.Name, What: Added}
		if o != nil {
			x.Keys = differing(o.content(), n.content())
			switch {
			case o.Fingerprint != n.Fingerprint:
				x.What = Restarted
			case len(x.Keys) > 0:
				x.What = Changed
			default:
				x.What = Unchanged
			}
		}
		d.Devices = append(d.Devices, x)
	}
	for _, o := range before.Devices {
		if old[o.Name] != nil {
			d.Devices = append(d.Devices, DeviceDifference{Name: o.Name, What: Removed})
		}
	}
	return d
}

// content is everything that is set for a device, by key.
func (d *Device) content() map[string]string {
	out := textOf(d.settings)
	for k, digest := range d.marks {
		out[k] += " " + digest
	}
	return out
}

func textOf(list []setting) map[string]string {
	out := make(map[string]string, len(list))
	for _, s := range list {
		out[s.key] = s.text
	}
	return out
}

func differing(a, b map[string]string) []string {
	keys := map[string]bool{}
	for k, v := range a {
		if w, ok := b[k]; !ok || v != w {
			keys[k] = true
		}
	}
	for k := range b {
		if _, ok := a[k]; !ok {
			keys[k] = true
		}
	}
	return slices.Sorted(maps.Keys(keys))
}

// marks are digests of what a fingerprint is made of, by key.
func marks(url string, print []string) map[string]string {
	out := map[string]string{"url": digest(url)}
	for _, p := range print {
		key, value, _ := strings.Cut(p, "=")
		key = strings.TrimSuffix(key, "*")
		out[key] = digest(out[key] + value)
	}
	return out
}

func digest(s string) string {
	sum := sha256.Sum256([]byte(s))
	return string(sum[:])
}
