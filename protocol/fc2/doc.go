// Package fc2 is what Focusrite Control 2 puts around OCP.1: pairing, by which a person lets a program in, and the encrypted
// tunnel that a paired program then uses.
//
// A server has two TCP ports, the first free ones from [FirstPort] on. The lower is the secure endpoint: WebSocket at the path
// that [PublicKey.Path] gives, and nothing but 404 at all others, unknown keys included. The next is the onboarding endpoint:
// plain OCP.1 over WebSocket, with one object of a class of Focusrite's own in its root block ([AgentONo], [AgentClass]).
//
// # The tunnel
//
// Inside binary WebSocket messages each direction is one stream:
//
//	header of 24 bytes, once
//	records: u16, big-endian: the length n of what follows; n bytes of secretstream ciphertext
//
// Both directions use the same key ([Identity.SessionKey]) and differ by their random headers alone. The first record of each
// side holds 32 random bytes, the second those that the other side sent; from then on the records carry the OCP.1 stream, cut
// anywhere. [Tunnel] is one end of it.
//
// # Evidence
//
// Focusrite publishes nothing about it. Everything here is what two programs do that talk to Focusrite Control 2 and have users
// (grade "seen"), except where a comment says otherwise. It was not checked on a device of ours.
//
// The package does no I/O and starts nothing.
package fc2
