package atem

import (
	"bytes"
	"errors"
	"fmt"
)

// Frames of stills and clips travel as blocks of 8 bytes, two pixels each. A run of equal blocks is coded as a block of fe
// bytes, the number of blocks in 64 bits, and the block.

const (
	blockSize = 8
	runSize   = 3 * blockSize
	// A run is shorter than its blocks from four on.
	shortestRun = 4
)

var runMark = [blockSize]byte{0xfe, 0xfe, 0xfe, 0xfe, 0xfe, 0xfe, 0xfe, 0xfe}

// ErrRuns says that run-length coded data make no sense.
var ErrRuns = errors.New("not run-length coded")

// AppendRuns adds the run-length coded form of a frame, whose size is a multiple of 8; what is left beyond that is left out.
func AppendRuns(b, frame []byte) []byte {
	for len(frame) >= blockSize {
		block := frame[:blockSize]
		n := 1
		for len(frame) >= (n+1)*blockSize && bytes.Equal(frame[n*blockSize:(n+1)*blockSize], block) {
			n++
		}
		if n >= shortestRun || [blockSize]byte(block) == runMark {
			b = append(b, runMark[:]...)
			b = be.AppendUint64(b, uint64(n))
			b = append(b, block...)
		} else {
			b = append(b, frame[:n*blockSize]...)
		}
		frame = frame[n*blockSize:]
	}
	return b
}

// ExpandRuns adds the frame that run-length coded data stand for, which has at most limit bytes.
func ExpandRuns(b, data []byte, limit int) ([]byte, error) {
	limit += len(b)
	for len(data) > 0 {
		switch {
		case len(data) < blockSize:
			return b, fmt.Errorf("%d bytes at the end: %w", len(data), ErrRuns)
		case [blockSize]byte(data) != runMark:
			if len(b)+blockSize > limit {
				return b, fmt.Errorf("more than %d bytes: %w", limit, ErrRuns)
			}
			b = append(b, data[:blockSize]...)
			data = data[blockSize:]
		case len(data) < runSize:
			return b, fmt.Errorf("a run ends early: %w", ErrRuns)
		default:
			n := be.Uint64(data[blockSize:])
			if n > uint64(limit-len(b))/blockSize {
				return b, fmt.Errorf("more than %d bytes: %w", limit, ErrRuns)
			}
			block := data[2*blockSize : runSize]
			for range n {
				b = append(b, block...)
			}
			data = data[runSize:]
		}
	}
	return b, nil
}

// CutRuns is how many bytes of run-length coded data go into a piece of at most limit bytes: whole blocks, and never a part
// of a run, which can hang a switcher. It is 0 only when there are no data, or when limit is below the size of a run.
func CutRuns(data []byte, limit int) int {
	n := 0
	for n < len(data) {
		size := blockSize
		if len(data)-n >= runSize && [blockSize]byte(data[n:]) == runMark {
			size = runSize
		}
		size = min(size, len(data)-n)
		if n+size > limit {
			break
		}
		n += size
	}
	return n
}
