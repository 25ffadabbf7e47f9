package focas

import "testing"

// noAllocs reports the allocations of decoding and encoding a message of fixed size, which must be none.
func noAllocs(b *testing.B, size int, f func()) {
	b.Helper()
	b.ReportAllocs()
	b.SetBytes(int64(size))
	for b.Loop() {
		f()
	}
}

// fixedMessages decode a payload and encode it again into out.
func fixedMessages(t testing.TB) map[string]func(out []byte) []byte {
	status := unhex(t, "0001 0003 0001 0000 0002 0001 0007")
	status2 := unhex(t, "0001 0003 0001 0000 0002 0001 0007 0001 0002 0003 0004")
	info := unhex(t, "0442 0020 2030 204d 44344631 33302e30 3033")
	panel := make([]byte, OpSignalSize)
	timer := unhex(t, "0003f5a2 0000a122")
	clock := unhex(t, "07ea 0005 000e 0000 0000 0000")
	value := unhex(t, "0001e240 000a 0003")
	header := AppendCloseRequest(nil)
	return map[string]func([]byte) []byte{
		"header": func(o []byte) []byte {
			h, _ := ParseHeader(header)
			return AppendHeader(o, h.Version, h.Type, h.Dir, 0)
		},
		"value":       func(o []byte) []byte { v, _ := ParseValue(value); return v.Append(o) },
		"status":      func(o []byte) []byte { v, _ := ParseStatus(status); return v.Append(o) },
		"status2":     func(o []byte) []byte { v, _ := ParseStatus2(status2); return v.Append(o) },
		"sysinfo":     func(o []byte) []byte { v, _ := ParseSysInfo(info); return v.Append(o) },
		"panel":       func(o []byte) []byte { v, _ := ParseOpSignal(panel); return v.Append(o) },
		"timer":       func(o []byte) []byte { v, _ := ParseTimer(timer, TimerAuto); return v.Append(o) },
		"clock":       func(o []byte) []byte { v, _ := ParseClock(clock); return v.Append(o) },
		"word":        func(o []byte) []byte { v, _ := ParseWord(status); return v.Append(o) },
		"alarm bits":  func(o []byte) []byte { v, _ := ParseAlarmBits(timer); return v.Append(o) },
		"request":     func(o []byte) []byte { q := StatusRequest(1); return q.Append(o) },
		"error frame": func(o []byte) []byte { e, _ := ParseErrorBody(timer); return AppendErrorFrame(o, 3, TypeData, e) },
	}
}

func TestFixedMessagesDoNotAllocate(t *testing.T) {
	out := make([]byte, 0, 256)
	for name, f := range fixedMessages(t) {
		if n := testing.AllocsPerRun(100, func() { f(out) }); n != 0 {
			t.Errorf("%s: %v allocations, want none", name, n)
		}
	}
}

func BenchmarkFixed(b *testing.B) {
	out := make([]byte, 0, 256)
	for name, f := range fixedMessages(b) {
		b.Run(name, func(b *testing.B) { noAllocs(b, len(f(out)), func() { f(out) }) })
	}
}

func BenchmarkReplyBlocks(b *testing.B) {
	body := AppendReplies(nil, 3, make([]Reply, 32))[HeaderSize:]
	noAllocs(b, len(body), func() {
		blocks, _ := ReplyBlocks(body)
		for {
			if _, ok, _ := blocks.NextReply(); !ok {
				break
			}
		}
	})
}

// The screen of a 30i with 32 axes of padding: what one poll of the position page decodes.
func BenchmarkPositions(b *testing.B) {
	replies := positions30i()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ParsePositions(Series30i, 0, replies); err != nil {
			b.Fatal(err)
		}
	}
}
