// Package focasclient talks to a FANUC control over FOCAS2/Ethernet: a session that is opened by [Dial], asked through
// typed calls, and closed.
//
//	c, err := focasclient.Dial(ctx, dialer.DialContext, "192.0.2.21:8193", focasclient.Options{})
//	st, err := c.Path(1).StatInfo(ctx)
//
// A session is channel 2 alone; channel 1 is opened when a program is transferred and closed after it. One request is in
// flight per channel, because frames carry no number: a timeout, a cancelled context or a frame that makes no sense closes
// the session for good, else a late answer would be taken for the next one. The client never reconnects; every call after
// that returns an error that wraps [net.ErrClosed] and the first cause.
//
// What the control refuses comes back as *[focas.Error] and leaves the session usable.
//
// [Client.Exchange] sends raw blocks, [Batch] packs many reads into few frames, and the typed calls of [Path] and [PMC] are
// named after FANUC's, which their comments give.
package focasclient
