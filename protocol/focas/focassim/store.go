package focassim

import (
	"fmt"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/patchbay-io/patchbay/protocol/focas"
)

// Limits of the program store.
const (
	maxPrograms  = 400
	storeBytes   = 512 << 10
	userDir      = "//CNC_MEM/USER/"
	maxDirectory = 255 // length of a directory's name with its path
)

// stored is one program in the store.
type stored struct {
	name    string // "O1000", "BRACKET"
	text    string // from the O number to the last line end, without "%"
	prog    *program
	changed time.Time
}

// store is the program memory of one path, with its directory in the tree of folders.
type store struct {
	dir   string // "//CNC_MEM/USER/PATH1/"
	files map[string]*stored
}

func newStore(path int, names []string, at time.Time) *store {
	s := &store{dir: fmt.Sprintf("%sPATH%d/", userDir, path+1), files: make(map[string]*stored)}
	for _, n := range names {
		p, err := parseProgram(sample[n])
		if err != nil {
			panic("focassim: sample program " + n + ": " + err.Error())
		}
		s.files[n] = &stored{name: n, text: sample[n], prog: p, changed: at}
	}
	return s
}

// sorted are the programs by number, then by name.
func (s *store) sorted() []*stored {
	all := make([]*stored, 0, len(s.files))
	for _, f := range s.files {
		all = append(all, f)
	}
	sort.Slice(all, func(i, j int) bool {
		a, b := all[i], all[j]
		if a.prog.number != b.prog.number {
			return a.prog.number < b.prog.number
		}
		return a.name < b.name
	})
	return all
}

func (s *store) used() int {
	n := 0
	for _, f := range s.files {
		n += len(f.text)
	}
	return n
}

// byNumber is the program with that O number.
func (s *store) byNumber(n int) *stored {
	for _, f := range s.files {
		if f.prog.number == n {
			return f
		}
	}
	return nil
}

// add parses a program's text and stores it. The error is a *focas.Error with the control's code: 5 syntax, 8 no room,
// 5 with detail 4 (guess) when it exists already.
func (s *store) add(text string, at time.Time) (*stored, error) {
	p, err := parseProgram(text)
	if err != nil {
		return nil, &focas.Error{Code: focas.EWData, Detail: [2]int16{syntaxDetail, 0}}
	}
	name := p.name
	if name == "" {
		name = programName(p.number)
	}
	if s.files[name] != nil {
		return nil, &focas.Error{Code: focas.EWData, Detail: [2]int16{existsDetail, 0}}
	}
	text = strings.TrimLeft(text, "%\r\n ")
	if i := strings.IndexByte(text, '%'); i >= 0 {
		text = text[:i]
	}
	if len(s.files) >= maxPrograms || s.used()+len(text) > storeBytes {
		return nil, &focas.Error{Code: focas.EWOvrFlow}
	}
	f := &stored{name: name, text: text, prog: p, changed: at}
	s.files[name] = f
	return f, nil
}

// Details of a refused download. (guess)
const (
	syntaxDetail int16 = 1
	existsDetail int16 = 4
)

// programName is "O1000": four digits at least, eight at most.
func programName(n int) string { return fmt.Sprintf("O%04d", n) }

// lookup finds a program by what a client writes: a full path, a name, "O1000", "1000" or "O1000-O1000".
func (s *store) lookup(spec string) *stored {
	spec = strings.TrimPrefix(spec, "N:")
	if i := strings.LastIndexByte(spec, '/'); i >= 0 {
		if !strings.EqualFold(spec[:i+1], s.dir) {
			return nil
		}
		spec = spec[i+1:]
	}
	if f := s.files[spec]; f != nil {
		return f
	}
	if from, to, ok := strings.Cut(spec, "-"); ok && from == to {
		spec = from
	}
	n, err := strconv.Atoi(strings.TrimPrefix(spec, "O"))
	if err != nil || n < 1 {
		return nil
	}
	return s.byNumber(n)
}
