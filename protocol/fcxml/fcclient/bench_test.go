package fcclient

import (
	"testing"

	"github.com/patchbay-io/patchbay/protocol/fcxml"
	"github.com/patchbay-io/patchbay/protocol/fcxml/fcsim"
)

// BenchmarkMeters takes in one message of 20 meters of an 18i20, from the bytes of its frame to the event: read, parsed, kept. A
// server sends 25 of them a second; what that takes of one core is shown in thousandths of it.
func BenchmarkMeters(b *testing.B) {
	sim, err := fcsim.New(fcsim.Options{Model: "18i20"})
	if err != nil {
		b.Fatal(err)
	}
	schema := sim.Schema()
	m := fcxml.Set{Device: schema.ID}
	for i := range schema.Items {
		if it := &schema.Items[i]; it.Name() == "meter" && len(m.Items) < 20 {
			m.Items = append(m.Items, fcxml.Assign{ID: it.ID, Value: "-33.355"})
		}
	}
	c := &Client{devices: []*device{{schema: schema, values: map[uint32]string{}, wanted: true, snapshot: true}}}
	frames := fcxml.NewReader(&again{frame: fcxml.AppendMessage(nil, m)})
	b.ReportAllocs()
	for b.Loop() {
		f, err := frames.Next()
		if err != nil {
			b.Fatal(err)
		}
		m, err := fcxml.Parse(f.Payload)
		if err != nil {
			b.Fatal(err)
		}
		if e := c.take(m); len(e) != 1 || len(e[0].Values) != 20 {
			b.Fatalf("%d events", len(e))
		}
	}
	b.ReportMetric(25*b.Elapsed().Seconds()/float64(b.N)*1000, "‰core")
}

// again gives one frame for ever.
type again struct {
	frame []byte
	at    int
}

func (a *again) Read(p []byte) (int, error) {
	n := copy(p, a.frame[a.at:])
	a.at = (a.at + n) % len(a.frame)
	return n, nil
}
