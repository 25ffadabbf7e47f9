package focas

import "testing"

// fixed are payloads of fixed size with their decoding and encoding.
func fixed() map[string]struct {
	payload []byte
	again   func(b, payload []byte) ([]byte, error)
} {
	type bench = struct {
		payload []byte
		again   func(b, payload []byte) ([]byte, error)
	}
	record, _ := ParamRecord(Series30i, 0, 6711, 0, ParamTwoWord, RawValue(1))
	classic, _ := ParamRecord(Classic, 8, 6711, 0, ParamTwoWord, RawValue(1))
	return map[string]bench{
		"record-30i":      {record.Append(nil), func(b, p []byte) ([]byte, error) { r, err := ParseRecord(Series30i, p); return r.Append(b), err }},
		"record-classic":  {classic.Append(nil), func(b, p []byte) ([]byte, error) { r, err := ParseRecord(Classic, p); return r.Append(b), err }},
		"program-number":  {make([]byte, 8), func(b, p []byte) ([]byte, error) { n, err := ParseProgramNum(p); return n.Append(b), err }},
		"running-program": {make([]byte, 40), func(b, p []byte) ([]byte, error) { n, err := ParseExecProgram(p); return n.Append(b), err }},
		"counter":         {make([]byte, 4), func(b, p []byte) ([]byte, error) { n, err := ParseCounter(p); return n.Append(b), err }},
		"tool-group":      {make([]byte, 24), func(b, p []byte) ([]byte, error) { n, err := ParseToolGroup(p); return n.Append(b), err }},
		"transfer-start":  {make([]byte, TransferStartSize), func(b, p []byte) ([]byte, error) { n, err := ParseTransferStart(p); return n.Append(b), err }},
	}
}

func TestFixedPayloadsDoNotAllocate(t *testing.T) {
	buf := make([]byte, 0, 1024)
	for name, f := range fixed() {
		if n := testing.AllocsPerRun(100, func() {
			if _, err := f.again(buf, f.payload); err != nil {
				t.Error(name, err)
			}
		}); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

func BenchmarkFixedPayloads(b *testing.B) {
	buf := make([]byte, 0, 1024)
	for name, f := range fixed() {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(f.payload)))
			for b.Loop() {
				if _, err := f.again(buf, f.payload); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkMacros(b *testing.B) {
	payload := make([]byte, MaxMacrosPerRequest*ValueSize)
	b.ReportAllocs()
	for b.Loop() {
		if l, err := ParseValues(payload); err != nil || len(l.Items) != MaxMacrosPerRequest {
			b.Fatal(err)
		}
	}
}

func BenchmarkBinary(b *testing.B) {
	b.ReportAllocs()
	v := Decimal(1234, 3)
	for b.Loop() {
		if v.Binary().Base != 2 {
			b.Fatal("not binary")
		}
	}
}
