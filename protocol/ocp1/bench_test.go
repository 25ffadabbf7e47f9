package ocp1

import (
	"bytes"
	"fmt"
	"testing"
)

// benchMessage is n gain commands in one message.
func benchMessage(n int) []byte {
	b, at := BeginMessage(nil, Version1, TypeCommandRrq)
	for i := range n {
		b = Command{Handle: uint32(i), Target: ONo(4096 + i), Method: ID{4, 2}, Count: 1, Params: AppendF32(nil, -24.5)}.Append(b)
	}
	return EndMessage(b, at, n)
}

func BenchmarkParse(b *testing.B) {
	for _, n := range []int{1, 360} { // 360 commands is the longest batch of Focusrite's phone app
		b.Run(fmt.Sprintf("commands=%d", n), func(b *testing.B) {
			wire := benchMessage(n)
			b.SetBytes(int64(len(wire)))
			b.ReportAllocs()
			for b.Loop() {
				m, _, err := ParseMessage(wire, 0)
				if err != nil {
					b.Fatal(err)
				}
				p := m.PDUs()
				for {
					if _, ok := p.Command(); !ok {
						break
					}
				}
			}
		})
	}
}

func BenchmarkAppend(b *testing.B) {
	for _, n := range []int{1, 360} {
		b.Run(fmt.Sprintf("commands=%d", n), func(b *testing.B) {
			wire := benchMessage(n)
			gain := AppendF32(nil, -24.5)
			b.SetBytes(int64(len(wire)))
			b.ReportAllocs()
			for b.Loop() {
				var at int
				wire, at = BeginMessage(wire[:0], Version1, TypeCommandRrq)
				for i := range n {
					wire = Command{Handle: uint32(i), Target: ONo(4096 + i), Method: ID{4, 2}, Count: 1, Params: gain}.Append(wire)
				}
				wire = EndMessage(wire, at, n)
			}
		})
	}
}

func BenchmarkReader(b *testing.B) {
	wire := bytes.Repeat(benchMessage(1), 1000)
	b.SetBytes(int64(len(wire)))
	b.ReportAllocs()
	src := bytes.NewReader(wire)
	r := NewReader(src, 0)
	for b.Loop() {
		src.Reset(wire)
		for range 1000 {
			if _, err := r.Next(); err != nil {
				b.Fatal(err)
			}
		}
	}
}

func BenchmarkMembers(b *testing.B) {
	list := make([]ObjectIdentification, 100)
	for i := range list {
		list[i] = ObjectIdentification{ONo(4096 + i), ClassIdentification{ClassGain, 2}}
	}
	wire := AppendList(nil, list, AppendObjectIdentification)
	b.SetBytes(int64(len(wire)))
	b.ReportAllocs()
	for b.Loop() {
		p := NewParams("members", wire)
		if got := ListOf(&p, "Members", p.ObjectIdentification); len(got) != 100 {
			b.Fatal(p.Err())
		}
	}
}
