// Package oswserver is the server of the OpenSwitcher relay: it takes clients through login and choice of a device, and hands
// what they ask for to a [Handler]. What stands behind the handler is not its business: a simulated switcher, or real ones
// that many clients share.
//
// A connection ends when its client does not keep to the handshake, when it takes too long over it, when it chooses what it
// is not offered, and when it does not take what it is sent. Wrong and right logins are answered after the same time. TLS is
// a matter of the listener that is passed in.
package oswserver
