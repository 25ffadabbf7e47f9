// Package gateway owns the sessions of all devices. It opens them, brings what they say into one [device.Tree], tries
// again when they end, and is the one way by which anything is written. It names no protocol and no door.
//
// Each device has a link: one goroutine that holds the conversation and one that performs the writes. A link never waits
// for another, so a dead device delays nobody.
package gateway
