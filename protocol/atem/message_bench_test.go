package atem

import (
	"bytes"
	"testing"
)

// largest is the largest recorded dump, or a made-up one of about its size where there are no recordings.
func largest(b *testing.B) (dump [][]byte, bytes int) {
	b.Helper()
	for _, payloads := range recordings(b) {
		n := 0
		for _, p := range payloads {
			n += len(p)
		}
		if n > bytes {
			dump, bytes = payloads, n
		}
	}
	return dump, bytes
}

// BenchmarkTyped decodes the largest dump into values that are used again.
func BenchmarkTyped(b *testing.B) {
	dump, n := largest(b)
	into := map[Code]Message{}
	for _, p := range dump {
		for f := range Fields(p) {
			if m := New(f.Code); m != nil {
				into[f.Code] = m
			}
		}
	}
	b.SetBytes(int64(n))
	b.ReportAllocs()
	for b.Loop() {
		var ver Version
		for _, p := range dump {
			for len(p) > 0 {
				f, rest, err := Next(p)
				if err != nil {
					b.Fatal(err)
				}
				p = rest
				m := into[f.Code]
				if m == nil {
					continue
				}
				if err := m.Parse(ver, f.Body); err != nil {
					b.Fatal(err)
				}
				if v, ok := m.(*ProtocolVersion); ok {
					ver = MakeVersion(v.Major, v.Minor)
				}
			}
		}
	}
}

// BenchmarkGeneric walks over every item of the largest dump by the tables.
func BenchmarkGeneric(b *testing.B) {
	dump, n := largest(b)
	b.SetBytes(int64(n))
	b.ReportAllocs()
	sum := int64(0)
	for b.Loop() {
		var ver Version
		for _, p := range dump {
			for len(p) > 0 {
				f, rest, err := Next(p)
				if err != nil {
					b.Fatal(err)
				}
				p = rest
				if f.Code == CodeVer {
					ver = Version(be.Uint32(f.Body))
				}
				l, ok := LayoutOf(f.Code, ver, f.Body)
				if !ok {
					continue
				}
				for v := range l.Values(f.Body) {
					if v.IsNumber() {
						sum += v.Int()
					}
				}
			}
		}
	}
	if sum == 0 {
		b.Error("nothing was read")
	}
}

// BenchmarkState takes in the largest dump anew.
func BenchmarkState(b *testing.B) {
	dump, n := largest(b)
	b.SetBytes(int64(n))
	b.ReportAllocs()
	for b.Loop() {
		var s State
		for _, p := range dump {
			for f := range Fields(p) {
				s.Apply(&f)
			}
		}
	}
}

// BenchmarkChange is one change of a source: parsed, applied, and appended as a command.
func BenchmarkChange(b *testing.B) {
	body := []byte{0, 0, 0, 1}
	ver := MakeVersion(2, 30)
	out := make([]byte, 0, 64)
	b.ReportAllocs()
	for b.Loop() {
		var p ProgramSource
		if err := p.Parse(ver, body); err != nil {
			b.Fatal(err)
		}
		cmd := SetProgramSource(p)
		out = cmd.Append(out[:0], ver)
	}
	if !bytes.HasPrefix(out[4:], []byte("CPgI")) {
		b.Error(out)
	}
}

// Messages of fixed size allocate nothing, texts that stay the same neither.
func TestParseDoesNotAllocate(t *testing.T) {
	ver := MakeVersion(2, 30)
	out := make([]byte, 0, 4096)
	for i := range codeRows {
		row := &codeRows[i]
		m := New(row.code)
		if m == nil {
			continue
		}
		f, _, err := Next(m.Append(nil, ver))
		if err != nil {
			t.Fatal(err)
		}
		if n := testing.AllocsPerRun(20, func() {
			if m.Parse(ver, f.Body) != nil {
				t.Fatal(row.code)
			}
			out = m.Append(out[:0], ver)
		}); n != 0 {
			t.Errorf("%v: %v allocations", row.code, n)
		}
		if n := testing.AllocsPerRun(20, func() {
			l, _ := LayoutOf(f.Code, ver, f.Body)
			for v := range l.Values(f.Body) {
				_ = v.Offset
			}
		}); n != 0 {
			t.Errorf("%v by the tables: %v allocations", row.code, n)
		}
	}
}
