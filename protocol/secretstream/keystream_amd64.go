//go:build !purego

package secretstream

import (
	"golang.org/x/crypto/chacha20"
	"golang.org/x/sys/cpu"
)

// vector is the assembly, or nil where the processor or the system has no AVX2.
func vector() eightBlocks {
	if !cpu.X86.HasAVX2 {
		return nil
	}
	return xorEightBlocks
}

//go:noescape
func xorEightBlocks(dst, src *[8 * blockSize]byte, key *[KeySize]byte, nonce *[chacha20.NonceSize]byte, counter uint32)
