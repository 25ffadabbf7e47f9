// Package dmclient is the driver's side of a DeviceMaster: one [Link] to a box carries all its ports, and each open [Port]
// is an io.ReadWriteCloser with line settings, modem lines, break, flush and drain.
//
// A link never reconnects. When it dies, every port of it fails with an error that wraps [ErrLinkDown] and the cause;
// [Port.Unacked] then says of how many bytes nobody knows whether they arrived, since a box zeroes its counters with each
// session.
package dmclient
