// Package plural counts things in sentences: "1 byte", "2 bytes".
package plural

import "strconv"

// Of is n and the noun, which gets an s unless n is 1: "0 frames", "1 frame".
func Of[N ~int | ~int64 | ~uint64](n N, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return number(n) + " " + noun + "s"
}

func number[N ~int | ~int64 | ~uint64](n N) string {
	if n < 0 {
		return strconv.FormatInt(int64(n), 10)
	}
	return strconv.FormatUint(uint64(n), 10)
}
