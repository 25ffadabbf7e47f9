package fcxml

import (
	"fmt"
	"strings"
	"testing"
)

// large is a device of 1,700 items, as many as the largest interface has: 24 slots, 12 mixes, 44 inputs, 26 outputs.
func large() []byte {
	var b strings.Builder
	id := 1
	num := func() int { id++; return id }
	b.WriteString(`<device-arrival><device id="1" protocol="USB" model="Large" class="Scarlett" bus-id="0" serial-number="T1" version="2"><mixer><inputs>`)
	for range 24 {
		fmt.Fprintf(&b, `<input><source id="%d"/><stereo id="%d"/></input>`, num(), num())
	}
	b.WriteString(`</inputs><mixes>`)
	for m := range 12 {
		fmt.Fprintf(&b, `<mix id="%d" name="Mix %c" stereo-name=""><meter id="%d"/>`, num(), 'A'+m, num())
		for range 24 {
			fmt.Fprintf(&b, `<input><gain id="%d"/><pan id="%d"/><mute id="%d"/><solo id="%d"/></input>`, num(), num(), num(), num())
		}
		b.WriteString(`</mix>`)
	}
	b.WriteString(`</mixes></mixer><inputs>`)
	for i := range 44 {
		fmt.Fprintf(&b, `<analogue id="%d" supports-talkback="false" hidden="false" name="Analogue %d" stereo-name=""><available id="%d"/><meter id="%d"/><nickname id="%d"/><air id="%d"/><pad id="%d"/></analogue>`,
			num(), i+1, num(), num(), num(), num(), num())
	}
	b.WriteString(`</inputs><outputs>`)
	for i := range 26 {
		fmt.Fprintf(&b, `<analogue name="Line Output %d" stereo-name=""><available id="%d"/><meter id="%d"/><mute id="%d"/><source id="%d"/><stereo id="%d"/><nickname id="%d"/><gain id="%d"/><hardware-control id="%d"/></analogue>`,
			i+1, num(), num(), num(), num(), num(), num(), num(), num())
	}
	fmt.Fprintf(&b, `</outputs><clocking><locked id="%d"/><clock-source id="%d"/><sample-rate id="%d"/><clock-master id="%d"/></clocking>`, num(), num(), num(), num())
	b.WriteString(`</device></device-arrival>`)
	return []byte(b.String())
}

// BenchmarkArrival reads an arrival of 1,700 items and makes its schema, as a client does once for each device.
func BenchmarkArrival(b *testing.B) {
	payload := large()
	b.SetBytes(int64(len(payload)))
	b.ReportAllocs()
	items := 0
	for b.Loop() {
		m, err := Parse(payload)
		if err != nil {
			b.Fatal(err)
		}
		s, err := NewSchema(m.(DeviceArrival).Devices[0])
		if err != nil {
			b.Fatal(err)
		}
		items = len(s.Items)
	}
	b.ReportMetric(float64(items), "items")
}

// BenchmarkMeters is one message of 20 meters, of which a server sends 25 a second; what that takes of one core is shown in
// thousandths of it.
func BenchmarkMeters(b *testing.B) {
	m := Set{Device: "1"}
	for i := range 20 {
		m.Items = append(m.Items, Assign{uint32(100 + i), "-33.355"})
	}
	payload := m.AppendXML(nil)
	b.Run("parse", func(b *testing.B) {
		b.SetBytes(int64(len(payload)))
		b.ReportAllocs()
		for b.Loop() {
			if _, err := Parse(payload); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(25*b.Elapsed().Seconds()/float64(b.N)*1000, "‰core")
	})
	b.Run("append", func(b *testing.B) {
		b.ReportAllocs()
		var buf []byte
		for b.Loop() {
			buf = AppendMessage(buf[:0], m)
		}
	})
}
