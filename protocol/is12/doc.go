// Package is12 is NMOS IS-12, the control protocol of AMWA, with the object model of MS-05-02: AES70's ideas as JSON over
// WebSocket, one object a text frame.
//
// It turns frames into values and back; it does no I/O. The controller's side is in is12client below it. A device's side is not part of it.
//
// The device announces its address in the controls of its IS-04 node as urn:x-nmos:control:ncp/v1.0; the path is free, and
// /x-nmos/ncp/v1.0/connect is the habit. The root block has the number 1.
//
// # Evidence
//
// The layout follows IS-12 v1.0 and MS-05-02 v1.0 of AMWA, and exchanges with AMWA's own mock of a device, from which the
// vectors in the tests are. No device has been at hand.
package is12
