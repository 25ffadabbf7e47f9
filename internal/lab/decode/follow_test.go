package decode

import (
	"fmt"
	"strings"
	"testing"

	"github.com/patchbay-io/patchbay/transcript"
)

func indentLines(s, by string) string {
	var b strings.Builder
	for line := range strings.Lines(s) {
		b.WriteString(by + line)
	}
	return b.String()
}

// carray is how Wireshark writes a side of a followed stream.
func carray(name string, p []byte) string {
	var b strings.Builder
	fmt.Fprintf(&b, "char %s[] = { /* Packet 4 */\n", name)
	for i, c := range p {
		sep := ", "
		if i == len(p)-1 {
			sep = " };\n"
		} else if i%8 == 7 {
			sep = ", \n"
		}
		fmt.Fprintf(&b, "0x%02x%s", c, sep)
	}
	return b.String()
}

func TestFollowedStreams(t *testing.T) {
	c, s := exchange()
	bars := strings.Repeat("=", 67) + "\n"
	head := bars + "Follow: tcp,hex\nFilter: tcp.stream eq 0\nNode 0: 127.0.0.1:40000\nNode 1: 127.0.0.1:8193\n"
	second := func(p []byte, base int) string {
		return dump(p, func(off int, row []byte) string { return wireshark8(base+off, row) })
	}
	for name, in := range map[string]string{
		"tshark hex":    head + dump(c, wireshark8) + indentLines(dump(s, wireshark8), "\t") + second(c, len(c)) + indentLines(second(s, len(s)), "\t") + bars,
		"two spaces":    strings.ReplaceAll(head+dump(c, tshark8)+indentLines(dump(s, tshark8), "\t"), "\n\n", "\n") + fmt.Sprintf("> %x\n< %x\n", c, s),
		"Wireshark hex": dump(c, wireshark8) + indentLines(dump(s, wireshark8), "    ") + second(c, len(c)) + indentLines(second(s, len(s)), "    "),
		"raw":           fmt.Sprintf("%s%x\n\t%x\n%x\n\t%x\n%s", head, c, s, c, s, bars),
		"C arrays":      carray("peer0_0", c) + carray("peer1_0", s) + carray("peer0_1", c) + carray("peer1_1", s),
	} {
		t.Run(name, func(t *testing.T) {
			out, res := decode(t, in, Options{Brief: true})
			if want := (Result{Protocol: "focas", Guessed: true, Frames: 4, Share: transcript.Share{Bytes: 152, Decoded: 152}}); res != want {
				t.Errorf("%+v from\n%s\n%s", res, in, out)
			}
			if strings.Count(out, "\n> 1 ") != 2 || strings.Count(out, "\n< 1 ") != 2 {
				t.Error(out)
			}
		})
	}
}

func wireshark8(off int, row []byte) string { return "0000" + wireshark(off, row) }

// tshark8 has two spaces before the text column of a full row.
func tshark8(off int, row []byte) string {
	n := min(8, len(row))
	return fmt.Sprintf("%08X  %-23s  %-23s  ..ab 12 cd", off, fmt.Sprintf("% x", row[:n]), fmt.Sprintf("% x", row[n:]))
}

func TestPacketDumps(t *testing.T) {
	var plain, listed, xxdText strings.Builder
	for i, p := range session(2) {
		b := p.bytes(t)
		plain.WriteString(dump(b, wireshark) + "\n")
		fmt.Fprintf(&listed, "    %d 0.000%d    192.0.2.5 → 192.0.2.21    TCP 54 50000 → 8193 [SYN] Seq=0 Win=65535 Len=0\n\n%s\n", i+1, i, dump(b, wireshark))
		xxdText.WriteString(dump(b, xxd))
	}
	for name, in := range map[string]string{"plain": plain.String(), "with the packet list": listed.String(), "xxd": xxdText.String()} {
		t.Run(name, func(t *testing.T) {
			out, res := decode(t, in, Options{Brief: true})
			if res.Frames != 4 || res.Faulty != 0 || !res.Capture || res.Gaps != 0 {
				t.Errorf("%+v\n%s\n%s", res, in, out)
			}
		})
	}
	damaged := plain.String() + strings.Replace(plain.String(), "0010  ", "0020  ", 1)
	at := strings.Count(plain.String(), "\n") + 2
	if _, err := heard(t, []byte(damaged)); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("line %d: offset 0x20", at)) {
		t.Error(err)
	}
}
