// Package fcclient is a program's side of Focusrite Control: it introduces itself, learns which devices there are and what
// they are worth, and changes them once a person has approved it.
//
// A [Client] is one connection, and never reconnects. There is no request for a value: the server says all of a device's
// values once after [Client.Subscribe], leaving out those at rest, and then what changes. A value therefore has three states
// ([State]). There is no answer to a change either, but the server's own message about it: [Client.Set] waits for that, and a
// change that nobody has approved is told from one that was lost.
package fcclient
