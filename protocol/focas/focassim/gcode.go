package focassim

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Limits of a program's text.
const (
	maxBlockText = 256  // characters of one block
	maxWords     = 24   // words of one block
	maxProgram   = 4096 // blocks of one program
)

// word is one address letter with its number.
type word struct {
	letter byte
	value  float64
	point  bool // written with a decimal point
	code   int  // of G and M words: the number times 10, so that G54.1 is 541
}

// block is one line of a program.
type block struct {
	text  string // as written, without the line end
	words []word
	n     int  // sequence number, 0 when none
	skip  bool // begins with a slash: optional block skip
}

// program is a parsed program.
type program struct {
	number  int
	name    string // the name when it has no O number: "<BRACKET>"
	comment string // with its parentheses
	blocks  []block
}

// ErrSyntax is the cause when a program's text is not understood.
var ErrSyntax = errors.New("program is not understood")

func syntaxError(line int, format string, a ...any) error {
	return fmt.Errorf("%w: line %d: %s", ErrSyntax, line, fmt.Sprintf(format, a...))
}

// parseProgram reads one program: "%" or a line end, then O number or <name> with a comment, then blocks, then "%".
// What comes before the first O and after the second "%" is ignored, as a tape reader does.
func parseProgram(text string) (*program, error) {
	p := &program{}
	begun := false
	for i, line := range strings.Split(text, "\n") {
		line = strings.TrimRight(line, "\r ")
		line = strings.TrimLeft(line, " \t")
		if strings.HasPrefix(line, "%") {
			if begun {
				break
			}
			continue
		}
		if line == "" {
			continue
		}
		if len(line) > maxBlockText {
			return nil, syntaxError(i+1, "block of %d characters, at most %d", len(line), maxBlockText)
		}
		b, comment, err := parseBlock(line, i+1)
		if err != nil {
			return nil, err
		}
		if !begun {
			if err := p.head(b, line, i+1); err != nil {
				return nil, err
			}
			p.comment, begun = comment, true
		}
		if len(p.blocks) == maxProgram {
			return nil, syntaxError(i+1, "more than %d blocks", maxProgram)
		}
		p.blocks = append(p.blocks, b)
	}
	if !begun {
		return nil, syntaxError(1, "no O number")
	}
	return p, nil
}

// head takes the program's number or name from its first block.
func (p *program) head(b block, line string, at int) error {
	if strings.HasPrefix(line, "<") {
		end := strings.IndexByte(line, '>')
		if end < 2 || end > 33 {
			return syntaxError(at, "program name is not closed, empty, or longer than 32 characters")
		}
		p.name = line[1:end]
		return nil
	}
	if len(b.words) == 0 || b.words[0].letter != 'O' {
		return syntaxError(at, "no O number before the first block")
	}
	n := int(b.words[0].value)
	if n < 1 || n > 99999999 {
		return syntaxError(at, "program number %d is not in 1 to 99999999", n)
	}
	p.number = n
	return nil
}

// parseBlock reads one line and the last comment in it, with its parentheses.
func parseBlock(line string, at int) (block, string, error) {
	b := block{text: line}
	comment := ""
	s := line
	if strings.HasPrefix(s, "<") {
		end := strings.IndexByte(s, '>')
		if end < 0 {
			return b, "", syntaxError(at, "< without >")
		}
		s = s[end+1:]
	}
	if strings.HasPrefix(s, "/") {
		b.skip, s = true, s[1:]
	}
	for len(s) > 0 {
		c := s[0]
		switch {
		case c == ' ' || c == '\t' || c == ';':
			s = s[1:]
			continue
		case c == '(':
			end := strings.IndexByte(s, ')')
			if end < 0 {
				return b, "", syntaxError(at, "comment is not closed")
			}
			comment, s = s[:end+1], s[end+1:]
			continue
		case c >= 'a' && c <= 'z':
			c -= 'a' - 'A'
		case c < 'A' || c > 'Z':
			return b, "", syntaxError(at, "%q is no address", string(c))
		}
		w, rest, err := parseWord(c, s[1:], at)
		if err != nil {
			return b, "", err
		}
		s = rest
		if len(b.words) == maxWords {
			return b, "", syntaxError(at, "more than %d words", maxWords)
		}
		if w.letter == 'N' {
			b.n = int(w.value)
		}
		b.words = append(b.words, w)
	}
	return b, comment, nil
}

func parseWord(letter byte, s string, at int) (word, string, error) {
	for len(s) > 0 && s[0] == ' ' {
		s = s[1:]
	}
	end := 0
	if end < len(s) && (s[end] == '-' || s[end] == '+') {
		end++
	}
	digits, points := 0, 0
	for end < len(s) && (s[end] >= '0' && s[end] <= '9' || s[end] == '.') {
		if s[end] == '.' {
			points++
		} else {
			digits++
		}
		end++
	}
	if digits == 0 || digits > 12 || points > 1 {
		return word{}, "", syntaxError(at, "%c has no number that makes sense", letter)
	}
	v, err := strconv.ParseFloat(s[:end], 64)
	if err != nil {
		return word{}, "", syntaxError(at, "%c has no number that makes sense", letter)
	}
	w := word{letter: letter, value: v, point: points == 1}
	switch letter {
	case 'G':
		w.code = int(v*10 + 0.5)
		if v < 0 || !knownG(w.code) {
			return word{}, "", syntaxError(at, "G%s is not a code of this control", s[:end])
		}
	case 'M', 'T', 'S', 'F', 'O', 'N', 'P', 'L', 'H', 'D':
		if v < 0 {
			return word{}, "", syntaxError(at, "%c must not be negative", letter)
		}
		w.code = int(v*10 + 0.5)
	}
	return w, s[end:], nil
}

// length is a coordinate in millimetres: without a decimal point it is in least input increments, 0.001 mm.
func (w word) length() float64 {
	if w.point {
		return w.value
	}
	return w.value / 1000
}

// find gives the word with that letter.
func (b *block) find(letter byte) (word, bool) {
	for _, w := range b.words {
		if w.letter == letter {
			return w, true
		}
	}
	return word{}, false
}

func (b *block) hasG(code int) bool {
	for _, w := range b.words {
		if w.letter == 'G' && w.code == code {
			return true
		}
	}
	return false
}
