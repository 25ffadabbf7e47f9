package config

import (
	"fmt"
	"strconv"
	"strings"
)

// Problem is one mistake with its place.
type Problem struct {
	Place     string // "patchbay.yaml", "command line", "environment variable PATCHBAY_LISTEN"
	Line, Col int    // from 1; 0: the place has no lines
	Source    string // the offending line
	Text      string // what is wrong and what would be right
}

// Error is "place:line:col: text", then the line with a caret below the place.
func (p Problem) Error() string {
	if p.Line == 0 {
		return p.Place + ": " + p.Text
	}
	head := fmt.Sprintf("%s:%d:%d: %s", p.Place, p.Line, p.Col, p.Text)
	if p.Source == "" {
		return head
	}
	number := strconv.Itoa(p.Line)
	lead := strings.Map(func(r rune) rune {
		if r == '\t' {
			return r
		}
		return ' '
	}, string([]rune(p.Source)[:min(max(p.Col-1, 0), len([]rune(p.Source)))]))
	return fmt.Sprintf("%s\n  %s | %s\n  %s | %s^", head, number, p.Source, strings.Repeat(" ", len(number)), lead)
}

// Problems is everything that is wrong with a configuration, in the order of the file.
type Problems []Problem

// Error lists the problems, one after another.
func (p Problems) Error() string {
	parts := make([]string, len(p))
	for i, x := range p {
		parts[i] = x.Error()
	}
	return strings.Join(parts, "\n")
}

// didYouMean is ` Did you mean "x"?` with the nearest of the known words, or "".
func didYouMean(word string, known []string) string {
	best, bestD := "", max(2, len(word)/3)+1
	for _, k := range known {
		if d := distance(word, k); d < bestD {
			best, bestD = k, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf(" Did you mean %q?", best)
}

// distance is the number of single-character edits between two words.
func distance(a, b string) int {
	x, y := []rune(strings.ToLower(a)), []rune(strings.ToLower(b))
	row := make([]int, len(y)+1)
	for j := range row {
		row[j] = j
	}
	for i := range x {
		diagonal := row[0]
		row[0] = i + 1
		for j := range y {
			cost := diagonal
			if x[i] != y[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(y)]
}
