// Package atemclient is the client's side of the ATEM UDP transport: it opens a session with a switcher, hands over what the
// switcher says, sends commands, and always closes the session, so that its place is free for somebody else at once.
//
// A [Client] is one session. It never opens another one by itself: when it ends, [Client.Done] is closed, [Client.Err] says
// why, and whoever has dialled decides what happens next.
package atemclient
