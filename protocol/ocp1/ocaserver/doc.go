// Package ocaserver is the device's side of OCP.1: a tree of AES70 objects on which a program hangs its own actuators and
// sensors, for any number of controllers over TCP, TLS, WebSocket or whatever else gives a net.Conn.
//
// A [Device] is the tree and its values; a [Server] serves it. The program makes objects below [Device.Root], sets their values when they
// change, and is asked by a function of its own when a controller wants to change one. Subscriptions, locks, keep-alives and
// the statuses for every mistake of a controller are the package's. A controller that reads slowly gets the newest value of each
// property and delays nobody.
package ocaserver
