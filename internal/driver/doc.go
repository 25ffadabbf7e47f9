// Package driver is the contract between devices and the gateway.
//
// A [Driver] opens a [Session]: one live conversation with one device. A session reads, watches and has [Abilities]
// (write, command, stream). Everything a device says arrives as an atomic [Change] through one [Sink]. A session never
// reconnects: the gateway alone retries, and the [Class] of an error alone decides whether.
//
// The packages below this one adapt a protocol package to the contract. If a driver needs encoding/binary, the code
// belongs in protocol/.
package driver
