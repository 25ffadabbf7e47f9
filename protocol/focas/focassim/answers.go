package focassim

import (
	"bufio"
	"encoding/hex"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/patchbay-io/patchbay/protocol/focas"
)

// Answer is an exact answer to one function.
type Answer struct {
	Class focas.Class
	Func  focas.Func
	Args  []int32 // the first arguments must be these
	Data  []byte  // the payload, or with Block the whole reply block
	Block bool
	Code  focas.Code // of a block without payload
}

// Answers are exact answers in order; the first that fits is used.
type Answers []Answer

// maxAnswer bounds one line of an answer file, in bytes.
const maxAnswer = 64 << 10

// ParseAnswers reads a file of exact answers. Each line names a function and what to answer; "#" begins a comment.
//
//	0x19        = 0001 0003 0001 0000 0000 0000 0000    payload in hex, spaces allowed
//	0x15 100    = 000004d2 000a 0003                    only when the first argument is 100
//	P:0x8001 8 8 3 = 10                                 a PMC function
//	0x1a        : 0016 0001 0001 001a 0000 0000 0000 0004 00000001    the whole block, its length included
//	0xe8        ! 6                                     error code 6
//
// A whole block is sent as it is, also when its lengths are wrong.
func ParseAnswers(r io.Reader) (Answers, error) {
	var all Answers
	sc := bufio.NewScanner(r)
	sc.Buffer(make([]byte, 0, 4096), maxAnswer)
	for n := 1; sc.Scan(); n++ {
		line, _, _ := strings.Cut(sc.Text(), "#")
		if strings.TrimSpace(line) == "" {
			continue
		}
		a, err := parseAnswer(line)
		if err != nil {
			return nil, fmt.Errorf("answers: line %d: %w", n, err)
		}
		all = append(all, a)
	}
	if err := sc.Err(); err != nil {
		return nil, fmt.Errorf("answers: %w", err)
	}
	return all, nil
}

func parseAnswer(line string) (Answer, error) {
	a := Answer{Class: focas.ClassCNC}
	at := strings.IndexAny(line, "=!")
	if i := strings.Index(line, " :"); i >= 0 && (at < 0 || i < at) {
		at = i + 1
	}
	if at < 0 {
		return a, fmt.Errorf("no =, : or ! after the function")
	}
	words := strings.Fields(line[:at])
	if len(words) == 0 || len(words) > 5 {
		return a, fmt.Errorf("want a function code and at most four arguments before %q", line[at])
	}
	code, pmc := strings.CutPrefix(words[0], "P:")
	if pmc {
		a.Class = focas.ClassPMC
	}
	f, err := strconv.ParseUint(code, 0, 16)
	if err != nil {
		return a, fmt.Errorf("%q is no function code", words[0])
	}
	a.Func = focas.Func(f)
	for _, w := range words[1:] {
		v, err := strconv.ParseInt(w, 0, 32)
		if err != nil {
			return a, fmt.Errorf("%q is no argument", w)
		}
		a.Args = append(a.Args, int32(v))
	}
	rest := strings.Join(strings.Fields(line[at+1:]), "")
	if line[at] == '!' {
		v, err := strconv.ParseInt(rest, 0, 16)
		if err != nil {
			return a, fmt.Errorf("%q is no error code", rest)
		}
		a.Code = focas.Code(v)
		return a, nil
	}
	a.Block = line[at] == ':'
	if a.Data, err = hex.DecodeString(rest); err != nil {
		return a, fmt.Errorf("answer is not hex: %w", err)
	}
	if a.Block && len(a.Data) < focas.ReplyBlockSize {
		return a, fmt.Errorf("a block has %d bytes at least, this one %d", focas.ReplyBlockSize, len(a.Data))
	}
	return a, nil
}

// find is the answer to a request.
func (as Answers) find(q *focas.Request) (Answer, bool) {
next:
	for _, a := range as {
		if a.Class != q.Class || a.Func != q.Func {
			continue
		}
		for i, v := range a.Args {
			if q.Args[i] != v {
				continue next
			}
		}
		return a, true
	}
	return Answer{}, false
}
