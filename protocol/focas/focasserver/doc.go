// Package focasserver is the control's side of FOCAS over Ethernet: it accepts the connections of FOCAS programs, keeps
// the framing exact and hands requests to a [Handler]. What stands behind the handler is not its business: a simulated
// control, or a real one that many programs share.
//
// Each connection is one channel of a session and is served alone, one frame after the other, since nothing in the
// protocol ties the two channels of a client together. Frames that cannot be trusted (wrong mark, wrong direction, too
// long) end the connection; data frames whose blocks do not add up are refused with an error frame.
package focasserver
