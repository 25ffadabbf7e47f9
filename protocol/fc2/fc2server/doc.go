// Package fc2server is Focusrite Control 2 for programs: the secure endpoint, which lets paired programs at a tree of AES70
// objects through an encrypted tunnel, and the onboarding endpoint, where a program asks a person to let it in.
//
// Anybody who reaches the onboarding endpoint may ask. A stranger must be able neither to flood the person nor to keep others from
// asking: a few programs are paired at a time ([Options.Pairings]), one from each address; the requests of an address come at a
// bounded rate; the person can send each away at once ([Server.Cancel]), and what waits goes away with its connection; a connection that
// says nothing for longer than a pairing takes is closed. Nor can an address that shows no key take all the places of the secure endpoint.
// Whoever has many addresses in the network can still take all the places, until he is sent away.
package fc2server
