package focassim

import (
	"errors"
	"strings"
	"testing"
)

func TestParseProgram(t *testing.T) {
	for name, text := range sample {
		p, err := parseProgram(text)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if programName(p.number) != name || len(p.blocks) != strings.Count(text, "\n") {
			t.Errorf("%s: number %d, %d blocks", name, p.number, len(p.blocks))
		}
	}
	p, err := parseProgram("%\nO12(A)(B)\n/N5 G0X-1.5y2F3(SLOW) M8 ;\n%\nrubbish")
	if err != nil {
		t.Fatal(err)
	}
	b := p.blocks[1]
	x, _ := b.find('X')
	y, _ := b.find('Y')
	if p.number != 12 || p.comment != "(B)" || !b.skip || b.n != 5 || x.length() != -1.5 || y.length() != 0.002 || !b.hasG(0) {
		t.Errorf("%+v", p)
	}
	if _, err = parseProgram("<BRACKET>(NAMED)\nG54.1\n"); err == nil {
		t.Error("G54.1 is taken though the machine cannot run it")
	}
	if p, err = parseProgram("<BRACKET>(NAMED)\nG0 X1.\n"); err != nil || p.name != "BRACKET" || p.comment != "(NAMED)" {
		t.Errorf("%+v, %v", p, err)
	}
}

func TestParseProgramRefuses(t *testing.T) {
	for name, text := range map[string]string{
		"nothing":           "",
		"only a percent":    "%\n%\n",
		"no O number":       "G0 X1.\n",
		"number zero":       "O0\n",
		"number too large":  "O123456789\n",
		"word without":      "O1\nX\n",
		"two points":        "O1\nX1.2.3\n",
		"no address":        "O1\n#100=1\n",
		"open comment":      "O1\n(NEVER CLOSED\n",
		"unknown G":         "O1\nG77\n",
		"canned cycle":      "O1\nG81 Z-1. R1. F100\n",
		"negative G":        "O1\nG-1\n",
		"negative tool":     "O1\nT-3\n",
		"number too long":   "O1\nX1234567890123\n",
		"block too long":    "O1\n" + strings.Repeat("X1", 200) + "\n",
		"too many words":    "O1\n" + strings.Repeat("X1", 30) + "\n",
		"name not closed":   "<BRACKET\n",
		"empty name":        "<>\n",
		"too many blocks":   "O1\n" + strings.Repeat("G0\n", maxProgram+1),
		"name inside block": "O1\n<X\n",
	} {
		if p, err := parseProgram(text); !errors.Is(err, ErrSyntax) {
			t.Errorf("%s: %+v, %v", name, p, err)
		}
	}
}

func FuzzParseProgram(f *testing.F) {
	for _, text := range sample {
		f.Add(text)
	}
	f.Add("%\nO1<X>(\n/;N1\n")
	f.Fuzz(func(t *testing.T, text string) {
		p, err := parseProgram(text)
		if err != nil {
			return
		}
		// What is understood runs without a panic.
		m := newMachine(&profiles()[0], Options{Start: newClock().now(), Manual: true})
		path := m.paths[0]
		path.main = &stored{name: "O1", text: text, prog: p}
		path.start()
		for range 200 {
			m.step()
		}
	})
}
