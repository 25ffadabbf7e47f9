// Package device is the tree of points: what every device looks like from inside patchbay, whatever protocol it speaks.
//
// A device is a set of points. A point has a [Path], a [Spec] that says what it is, and a [Sample] that says what it
// holds now and how far that can be trusted. The package knows no protocol, no network and no configuration.
package device
