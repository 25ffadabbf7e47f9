// Package oswclient is a client of the OpenSwitcher relay: it logs in, chooses a device, hands over what the switcher says and
// sends commands.
//
// A [Client] is one connection. It never makes another one by itself: when it ends, [Client.Done] is closed, [Client.Err] says
// why, and whoever has dialled decides what happens next.
package oswclient
