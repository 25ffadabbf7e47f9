package device

import "strings"

// Nearest finds the word that somebody most likely meant: one that differs by a single edit, else the shortest that begins
// with what they wrote, else the only path that ends with it, else the one with the fewest edits, when these are few enough
// for a slip of the hand. Of equals the first wins.
func Nearest(word string, among []string) (string, bool) {
	word = strings.ToLower(word)
	limit := len(word)/3 + 1
	best, found := "", false
	for _, w := range among {
		if d := edits(word, strings.ToLower(w), limit); d <= limit {
			best, found, limit = w, true, d-1
		}
		if limit < 0 {
			break
		}
	}
	if found && limit <= 0 {
		return best, true
	}
	if w, ok := completed(word, among); ok {
		return w, true
	}
	return best, found
}

// completed finds a word of which somebody wrote the beginning or the end.
func completed(word string, among []string) (string, bool) {
	const least = 3 // shorter ones say too little
	if len(word) < least {
		return "", false
	}
	begins, ends, several := "", "", false
	for _, w := range among {
		low := strings.ToLower(w)
		if strings.HasPrefix(low, word) && (begins == "" || len(w) < len(begins)) {
			begins = w
		}
		if strings.HasSuffix(low, "/"+word) {
			several = several || ends != ""
			ends = w
		}
	}
	switch {
	case begins != "":
		return begins, true
	case ends != "" && !several:
		return ends, true
	}
	return "", false
}

// edits is the Levenshtein distance of a and b in bytes, or limit+1 when it is above limit.
func edits(a, b string, limit int) int {
	if len(a) > len(b) {
		a, b = b, a
	}
	if len(b)-len(a) > limit {
		return limit + 1
	}
	var space [128]int
	row := space[:0]
	if len(a) >= len(space) {
		row = make([]int, 0, len(a)+1)
	}
	for i := range len(a) + 1 {
		row = append(row, i)
	}
	for j := range len(b) {
		diag, least := row[0], j+1
		row[0] = j + 1
		for i := range len(a) {
			cost := diag
			if a[i] != b[j] {
				cost = min(diag, row[i], row[i+1]) + 1
			}
			diag, row[i+1] = row[i+1], cost
			least = min(least, cost)
		}
		if least > limit {
			return limit + 1
		}
	}
	return row[len(a)]
}
