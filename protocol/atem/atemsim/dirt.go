package atemsim

import "github.com/patchbay-io/patchbay/protocol/atem"

// dirt is the leftovers that real switchers have in bytes without meaning.
type dirt struct{ n uint32 }

func (d *dirt) next() byte {
	d.n = d.n*1664525 + 1013904223
	return byte(d.n >> 24)
}

// soil is a copy of a payload with leftovers wherever a layout names nothing, and behind the NUL of texts. Bytes that hold a bit
// stay clean: there are programs that look at the whole byte, and they work with real switchers.
func (d *dirt) soil(payload []byte, ver atem.Version) []byte {
	out := append([]byte(nil), payload...)
	at := 0
	for f, err := range atem.Fields(out) {
		if err != nil {
			break
		}
		out[at+2], out[at+3] = d.next(), d.next()
		at += f.Size()
		l, ok := atem.LayoutOf(f.Code, ver, f.Body)
		if !ok {
			continue
		}
		named := make([]byte, len(f.Body))
		for v := range l.Values(f.Body) {
			for i := v.Offset; i < v.Offset+v.Length; i++ {
				named[i] = 0xff
			}
			if v.IsText() {
				for i := v.Offset + len(v.String()) + 1; i < v.Offset+v.Length; i++ {
					named[i] = 0
				}
			}
		}
		for i, keep := range named {
			f.Body[i] = f.Body[i]&keep | d.next()&^keep
		}
	}
	return out
}
