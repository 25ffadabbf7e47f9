// Package atemserver is the switcher's side of the ATEM UDP transport: it gives sessions to clients, keeps their numbers,
// acknowledgements and resends, and hands what they ask for to a [Handler]. What stands behind the handler is not its
// business: a simulated switcher, or a real one that many clients share.
//
// It bears with what programs do wrong: those that take a refusal for an acceptance, that count packets with 16 bits, that
// acknowledge nothing before an empty packet, that open again from the same port without closing, and that vanish without a
// word.
package atemserver
