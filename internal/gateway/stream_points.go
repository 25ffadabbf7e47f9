package gateway

import (
	"time"

	"github.com/patchbay-io/patchbay/internal/device"
)

// streamSpecs are the points that the gateway keeps for a stream that somebody has used.
func streamSpecs(at device.Path) []device.Spec {
	spec := func(name string, kind device.Kind, unit, title, doc string) device.Spec {
		return device.Spec{Path: at.Child(name), Kind: kind, Rate: device.Normal, Access: device.R, Unit: unit, Title: title, Doc: doc,
			Grade: device.GradeSpec}
	}
	return []device.Spec{
		spec("open", device.Bool, "", "Open", "bytes can flow"),
		spec("owner", device.String, "", "Owner", "who writes, through which door; empty: nobody"),
		spec("observers", device.Int, "", "Observers", "who reads along and cannot write"),
		spec("why", device.String, "", "Why not open", "what the device said when the port could not be opened"),
		spec("bytes-in", device.Int, "B", "Bytes in", "bytes from the line"),
		spec("bytes-out", device.Int, "B", "Bytes out", "bytes handed to the device"),
		spec("dropped", device.Int, "B", "Dropped", "bytes that were never sent, because the link was down or died"),
		spec("uncertain", device.Int, "B", "Uncertain", "bytes that were sent when the link died, before the device said that it has them; never sent again"),
		spec("lost", device.Int, "B", "Lost to observers", "bytes from the line that observers were too slow for"),
		spec("opens", device.Int, "", "Opens", "times that the port was opened"),
	}
}

// publishStreams brings the counters of the streams into the tree.
func (l *link) publishStreams() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.isRetired {
		return
	}
	now := time.Now()
	for path, h := range l.hubs {
		at := device.StreamsRoot + "/" + path
		d := device.Delta{}
		if _, known := l.g.tree.Point(l.name, at.Child("open")); !known {
			d.Specs = streamSpecs(at)
		}
		add := func(name string, v device.Value) {
			d.Samples = append(d.Samples, device.Sample{Path: at.Child(name), Value: v, Received: now})
		}
		h.mu.Lock()
		owner, observers, why := "", 0, ""
		for t := range h.taps {
			if t == h.owner {
				owner = t.name()
			} else {
				observers++
			}
		}
		if h.why != nil && h.stream == nil {
			why = h.why.Error()
		}
		c := h.counts
		add("open", device.OfBool(h.stream != nil))
		h.mu.Unlock()
		add("owner", device.OfString(owner))
		add("observers", device.OfInt(int64(observers)))
		add("why", device.OfString(why))
		for name, n := range map[string]uint64{"bytes-in": c.In, "bytes-out": c.Out, "dropped": c.Dropped, "uncertain": c.Uncertain, "lost": c.Lost, "opens": c.Opens} {
			add(name, device.OfInt(int64(n)))
		}
		l.g.tree.Apply(l.name, &d)
	}
}
