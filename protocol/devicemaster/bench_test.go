package devicemaster

import "testing"

func drain(b *testing.B, dec *Decoder, in []byte) (n int) {
	dec.Feed(in)
	for {
		_, ok, err := dec.Next()
		if err != nil {
			b.Fatal(err)
		}
		if !ok {
			return n
		}
		n++
	}
}

// BenchmarkDecode tells the cost of one message; MB/s are bytes of the wire.
func BenchmarkDecode(b *testing.B) {
	for _, row := range []struct {
		name string
		in   []byte
	}{
		{"one byte and its acknowledgement", unhex(b, "62 00 61 01 00 41 62 00 60 01 00")},
		{"opening", unhex(b, "62 03 75 32 70 00 c2 01 00 71 11 13 11 13 00 00 63 90 00 64 03 00 79 00 00 00 00 66 03 00")},
		{"blocks of 1024 bytes", AppendData(AppendSelect(nil, 0), make([]byte, 1024))},
	} {
		b.Run(row.name, func(b *testing.B) {
			dec := NewDecoder(ToDevice, DecoderOptions{})
			b.SetBytes(int64(len(row.in)))
			b.ReportAllocs()
			n := 0
			for b.Loop() {
				n += drain(b, dec, row.in)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(n), "ns/message")
		})
	}
}

func BenchmarkAppendData(b *testing.B) {
	data, buf := make([]byte, 1024), make([]byte, 0, 2048)
	b.SetBytes(1024)
	b.ReportAllocs()
	for b.Loop() {
		buf = AppendData(AppendSelect(buf[:0], 3), data)
	}
}
