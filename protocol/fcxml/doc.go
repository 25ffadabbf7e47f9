// Package fcxml is the wire format of Focusrite Control, the program for Scarlett devices up to the third generation,
// Clarett and Red: XML elements over TCP, each behind a header with its length, and a discovery over UDP in the same frames.
//
// Focusrite publishes nothing about it. What stands here was seen in the programs of others that have users, and in five
// recorded device trees (grade "seen"), or follows from those ("inferred"); no statement was checked on a device of ours.
//
// A frame is a [Frame]; its payload becomes a [Message] with [Parse]. A device announces its controls as a tree of elements
// without values ([DeviceArrival]); [NewSchema] gives each control a path, a kind and its legal values. Values come in [Set]
// messages, by number. Numbers hold for one arrival only: programs keep paths.
//
// The package does no I/O beyond the reader that it is given. Nothing of it may be used by two goroutines at a time, except
// a [Schema], which never changes.
package fcxml
