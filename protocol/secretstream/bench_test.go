package secretstream

import (
	"fmt"
	"testing"
)

// The sizes are a short message, the longest record of Focusrite Control 2 and one that is shorter by three bytes and has the MAC
// of the AEAD, and the same two of a large one.
var benchSizes = []int{64, 1280, 1283, 16384, 16387}

func BenchmarkPush(b *testing.B) {
	for _, n := range benchSizes {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			push, _ := pair(b)
			m, c := make([]byte, n), make([]byte, 0, n+Room)
			b.SetBytes(int64(n))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := push.Push(c, m, nil, TagMessage); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkPull decrypts one message again and again, with the nonce put back.
func BenchmarkPull(b *testing.B) {
	for _, n := range benchSizes {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			push, pull := pair(b)
			c, err := push.Push(nil, make([]byte, n), nil, TagMessage)
			if err != nil {
				b.Fatal(err)
			}
			m, nonce := make([]byte, 0, n+Room), pull.s.nonce
			b.SetBytes(int64(n))
			b.ReportAllocs()
			for b.Loop() {
				pull.s.nonce = nonce
				if _, _, err := pull.Pull(m, c, nil); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
