package rfc6455

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"
)

var hello = []byte("Hello")

// vectors are frames. Those with a section are the examples of that section of RFC 6455, or of RFC 7692.
var vectors = []struct {
	name  string
	wire  string // hex; ×N repeats the byte before it
	frame Frame
	err   error
}{
	{"5.7 text", "81 05 48656c6c6f", Frame{Header{Fin: true, Opcode: Text, Length: 5}, hello}, nil},
	{"5.7 masked text", "81 85 37fa213d 7f9f4d5158", Frame{Header{Fin: true, Opcode: Text, Masked: true, Mask: [4]byte{0x37, 0xfa, 0x21, 0x3d}, Length: 5}, hello}, nil},
	{"5.7 first fragment", "01 03 48656c", Frame{Header{Opcode: Text, Length: 3}, []byte("Hel")}, nil},
	{"5.7 last fragment", "80 02 6c6f", Frame{Header{Fin: true, Length: 2}, []byte("lo")}, nil},
	{"5.7 ping", "89 05 48656c6c6f", Frame{Header{Fin: true, Opcode: Ping, Length: 5}, hello}, nil},
	{"5.7 masked pong", "8a 85 37fa213d 7f9f4d5158", Frame{Header{Fin: true, Opcode: Pong, Masked: true, Mask: [4]byte{0x37, 0xfa, 0x21, 0x3d}, Length: 5}, hello}, nil},
	{"5.7 256 bytes", "82 7e 0100 00×256", Frame{Header{Fin: true, Opcode: Binary, Length: 256}, make([]byte, 256)}, nil},
	{"5.7 64 KiB", "82 7f 0000000000010000 00×65536", Frame{Header{Fin: true, Opcode: Binary, Length: 65536}, make([]byte, 65536)}, nil},
	{"7692 7.2.3.1 compressed", "c1 07 f248cdc9c90700", Frame{Header{Fin: true, Reserved: RSV1, Opcode: Text, Length: 7}, []byte{0xf2, 0x48, 0xcd, 0xc9, 0xc9, 7, 0}}, nil},
	{"125 bytes", "82 7d 61×125", Frame{Header{Fin: true, Opcode: Binary, Length: 125}, bytes.Repeat([]byte("a"), 125)}, nil},
	{"126 bytes", "82 7e 007e 61×126", Frame{Header{Fin: true, Opcode: Binary, Length: 126}, bytes.Repeat([]byte("a"), 126)}, nil},
	{"65535 bytes", "82 7e ffff 61×65535", Frame{Header{Fin: true, Opcode: Binary, Length: 65535}, bytes.Repeat([]byte("a"), 65535)}, nil},
	{"close", "88 00", Frame{Header{Fin: true, Opcode: Close}, nil}, nil},
	{"close 1000", "88 02 03e8", Frame{Header{Fin: true, Opcode: Close, Length: 2}, []byte{3, 0xe8}}, nil},

	{"no second byte", "81", Frame{}, ErrShort},
	{"half a mask", "81 85 37fa", Frame{}, ErrShort},
	{"half a length", "82 7f 00000000", Frame{}, ErrShort},
	{"half a payload", "81 05 4865", Frame{}, ErrShort},
	{"16 bits for 5", "81 7e 0005 48656c6c6f", Frame{Header{Fin: true, Opcode: Text, Length: 5}, hello}, ErrLength},
	{"64 bits for 5", "81 7f 0000000000000005 48656c6c6f", Frame{Header{Fin: true, Opcode: Text, Length: 5}, hello}, ErrLength},
	{"highest bit of a length", "82 7f 8000000000000000", Frame{}, ErrTooLong},
	{"over the limit", "82 7f 0000000000400001", Frame{}, ErrTooLong},
	{"opcode 3", "83 00", Frame{Header{Fin: true, Opcode: 3}, nil}, ErrReserved},
	{"opcode 11", "8b 00", Frame{Header{Fin: true, Opcode: 11}, nil}, ErrReserved},
	{"RSV2", "a1 00", Frame{Header{Fin: true, Reserved: 2, Opcode: Text}, nil}, ErrReserved},
	{"a compressed ping", "c9 00", Frame{Header{Fin: true, Reserved: RSV1, Opcode: Ping}, nil}, ErrReserved},
	{"a ping in fragments", "09 00", Frame{Header{Opcode: Ping}, nil}, ErrControl},
	{"a long ping", "89 7e 007e 00×126", Frame{Header{Fin: true, Opcode: Ping, Length: 126}, make([]byte, 126)}, ErrControl},
}

// unhex reads a vector.
func unhex(t testing.TB, s string) []byte {
	t.Helper()
	var out []byte
	for _, word := range strings.Fields(s) {
		word, times, again := strings.Cut(word, "×")
		b, err := hex.DecodeString(word)
		if err != nil {
			t.Fatalf("%q: %v", s, err)
		}
		if again {
			n := 0
			for _, c := range times {
				n = 10*n + int(c-'0')
			}
			b = bytes.Repeat(b, n)
		}
		out = append(out, b...)
	}
	return out
}
