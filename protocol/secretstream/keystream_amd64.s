//go:build !purego

#include "textflag.h"

// ChaCha20 as RFC 8439, section 2.3, describes it, for eight blocks side by side.
//
// The state of a block is 16 words x0 to x15. A YMM register holds one word of all eight blocks, block i in lane i:
//
//	Y0 to Y3      x0 to x3      constants at first
//	Y4 to Y7      x4 to x7      the first half of the key
//	Y8 to Y10     x8 to x10     three words of the second half
//	(R8)          x11           the fourth, for which no register is left; 32 bytes of the stack
//	Y11                         work space
//	Y12 to Y15    x12 to x15    counter, and 12 bytes of nonce
//
// DI is the destination, SI the source, AX the key, DX the nonce, CX the number of double rounds left.
//
// The time does not depend on what is computed: no branch and no address is made of key, nonce, counter, stream or source. What
// is written is the 512 bytes of the destination and the stack.

// A macro that changes something changes its first arguments, and pairs of arguments are two of the eight-block words:
// ADDS is a += b and c += d, XORS is a ^= b and c ^= d.
#define ADDS(a, b, c, d) \
	VPADDD b, a, a; \
	VPADDD d, c, c

#define XORS(a, b, c, d) \
	VPXOR b, a, a; \
	VPXOR d, c, c

// BYTES rotates a and b by whole bytes, as by says, and BITS to the left by n bits; m is 32-n.
#define BYTES(a, b, by) \
	VPSHUFB by<>(SB), a, a; \
	VPSHUFB by<>(SB), b, b

#define BITS(a, b, n, m) \
	VPSLLD $n, a, Y11; \
	VPSRLD $m, a, a; \
	VPOR   Y11, a, a; \
	VPSLLD $n, b, Y11; \
	VPSRLD $m, b, b; \
	VPOR   Y11, b, b

// MEMORY is c += d and b ^= c, twice; the second c is x11.
#define MEMORY(b, c, d, f, h) \
	VPADDD  d, c, c; \
	VPADDD  (R8), h, Y11; \
	VMOVDQA Y11, (R8); \
	VPXOR   Y11, f, f; \
	VPXOR   c, b, b

// ROUND is four quarter rounds, on a, b, c, d; e, f, g, h; i, j, k, l; and m, n, x11, p. The second two follow the first two at
// a distance of four steps: shifts need two of the processor's three vector units and additions any, so what goes on at the same
// time should not be the same.
#define ROUND(a, b, c, d, e, f, g, h, i, j, k, l, m, n, p) \
	ADDS(a, b, e, f); \
	XORS(d, a, h, e); \
	BYTES(d, h, left16); \
	ADDS(c, d, g, h); \
	ADDS(i, j, m, n); \
	XORS(b, c, f, g); \
	XORS(l, i, p, m); \
	BITS(b, f, 12, 20); \
	BYTES(l, p, left16); \
	ADDS(a, b, e, f); \
	MEMORY(j, k, l, n, p); \
	XORS(d, a, h, e); \
	BYTES(d, h, left8); \
	BITS(j, n, 12, 20); \
	ADDS(c, d, g, h); \
	ADDS(i, j, m, n); \
	XORS(b, c, f, g); \
	XORS(l, i, p, m); \
	BITS(b, f, 7, 25); \
	BYTES(l, p, left8); \
	MEMORY(j, k, l, n, p); \
	BITS(j, n, 7, 25)

// FILL puts a word of memory into every lane of x.
#define FILL(x, word) VPBROADCASTD word, x

// PLUS adds a word of memory to every lane of x.
#define PLUS(x, word) \
	VPBROADCASTD word, Y11; \
	VPADDD       Y11, x, x

// COLLECT makes of four words of all eight blocks, in a to d, the quarters of the blocks: d, t, b and c then hold those of
// blocks 0 to 3 in their lower halves and those of blocks 4 to 7 in their upper halves. a is free afterwards.
#define COLLECT(a, b, c, d, t) \
	VPUNPCKLDQ  b, a, t; \
	VPUNPCKHDQ  b, a, a; \
	VPUNPCKLDQ  d, c, b; \
	VPUNPCKHDQ  d, c, c; \
	VPUNPCKLQDQ b, t, d; \
	VPUNPCKHQDQ b, t, t; \
	VPUNPCKLQDQ c, a, b; \
	VPUNPCKHQDQ c, a, c

// APPLY takes two neighbouring quarters of a block, the lower halves of a and b, and those of the block four further on, the
// upper halves, and writes their XOR with the source; at is the place of the first in bytes, t is work space.
#define APPLY(a, b, t, at) \
	VPERM2I128 $0x31, b, a, t; \
	VPERM2I128 $0x20, b, a, a; \
	VPXOR      (at)(SI), a, a; \
	VPXOR      (at+4*64)(SI), t, t; \
	VMOVDQU    a, (at)(DI); \
	VMOVDQU    t, (at+4*64)(DI)

// func xorEightBlocks(dst, src *[512]byte, key *[32]byte, nonce *[12]byte, counter uint32)
TEXT ·xorEightBlocks(SB), NOSPLIT, $64-36
	MOVQ dst+0(FP), DI
	MOVQ src+8(FP), SI
	MOVQ key+16(FP), AX
	MOVQ nonce+24(FP), DX
	LEAQ 31(SP), R8            // 32 bytes of the 64, at a multiple of 32
	ANDQ $-32, R8

	FILL(Y0, expand<>+0(SB))
	FILL(Y1, expand<>+4(SB))
	FILL(Y2, expand<>+8(SB))
	FILL(Y3, expand<>+12(SB))
	FILL(Y4, 0(AX))
	FILL(Y5, 4(AX))
	FILL(Y6, 8(AX))
	FILL(Y7, 12(AX))
	FILL(Y8, 16(AX))
	FILL(Y9, 20(AX))
	FILL(Y10, 24(AX))
	FILL(Y11, 28(AX))
	VMOVDQA Y11, (R8)
	FILL(Y12, counter+32(FP))
	VPADDD lanes<>(SB), Y12, Y12
	FILL(Y13, 0(DX))
	FILL(Y14, 4(DX))
	FILL(Y15, 8(DX))

	MOVQ $10, CX

double:
	ROUND(Y0, Y4, Y8, Y12, Y1, Y5, Y9, Y13, Y2, Y6, Y10, Y14, Y3, Y7, Y15)  // columns
	ROUND(Y0, Y5, Y10, Y15, Y3, Y4, Y9, Y14, Y2, Y7, Y8, Y13, Y1, Y6, Y12)  // diagonals
	DECQ CX
	JNZ  double

	// The first half of every block.
	PLUS(Y0, expand<>+0(SB))
	PLUS(Y1, expand<>+4(SB))
	PLUS(Y2, expand<>+8(SB))
	PLUS(Y3, expand<>+12(SB))
	PLUS(Y4, 0(AX))
	PLUS(Y5, 4(AX))
	PLUS(Y6, 8(AX))
	PLUS(Y7, 12(AX))
	COLLECT(Y0, Y1, Y2, Y3, Y11)
	COLLECT(Y4, Y5, Y6, Y7, Y0)
	APPLY(Y3, Y7, Y4, 0*64)
	APPLY(Y11, Y0, Y4, 1*64)
	APPLY(Y1, Y5, Y4, 2*64)
	APPLY(Y2, Y6, Y4, 3*64)

	// The second half.
	VMOVDQA (R8), Y0
	PLUS(Y8, 16(AX))
	PLUS(Y9, 20(AX))
	PLUS(Y10, 24(AX))
	PLUS(Y0, 28(AX))
	PLUS(Y12, counter+32(FP))
	VPADDD lanes<>(SB), Y12, Y12
	PLUS(Y13, 0(DX))
	PLUS(Y14, 4(DX))
	PLUS(Y15, 8(DX))
	COLLECT(Y8, Y9, Y10, Y0, Y11)
	COLLECT(Y12, Y13, Y14, Y15, Y8)
	APPLY(Y0, Y15, Y12, 0*64+32)
	APPLY(Y11, Y8, Y12, 1*64+32)
	APPLY(Y9, Y13, Y12, 2*64+32)
	APPLY(Y10, Y14, Y12, 3*64+32)

	VZEROUPPER
	RET

// expand is "expand 32-byte k".
DATA expand<>+0(SB)/4, $0x61707865
DATA expand<>+4(SB)/4, $0x3320646e
DATA expand<>+8(SB)/4, $0x79622d32
DATA expand<>+12(SB)/4, $0x6b206574
GLOBL expand<>(SB), NOPTR|RODATA, $16

// lanes is how far the counter of each block is from that of the first.
DATA lanes<>+0(SB)/8, $0x0000000100000000
DATA lanes<>+8(SB)/8, $0x0000000300000002
DATA lanes<>+16(SB)/8, $0x0000000500000004
DATA lanes<>+24(SB)/8, $0x0000000700000006
GLOBL lanes<>(SB), NOPTR|RODATA, $32

// left16 and left8 say for each byte of four words, twice, where it comes from when the words are rotated to the left.
DATA left16<>+0(SB)/8, $0x0504070601000302
DATA left16<>+8(SB)/8, $0x0d0c0f0e09080b0a
DATA left16<>+16(SB)/8, $0x0504070601000302
DATA left16<>+24(SB)/8, $0x0d0c0f0e09080b0a
GLOBL left16<>(SB), NOPTR|RODATA, $32

DATA left8<>+0(SB)/8, $0x0605040702010003
DATA left8<>+8(SB)/8, $0x0e0d0c0f0a09080b
DATA left8<>+16(SB)/8, $0x0605040702010003
DATA left8<>+24(SB)/8, $0x0e0d0c0f0a09080b
GLOBL left8<>(SB), NOPTR|RODATA, $32
