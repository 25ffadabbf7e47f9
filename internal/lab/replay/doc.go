// Package replay plays one side of a recording against a live peer: the recorded client against a server ([Connect]), or
// the recorded server for a client ([Listen]), and says where the peer first does something else. Strict comparison wants
// the same bytes. Tolerant comparison takes both sides apart with the protocol's dissector and lets differ what differs by
// its nature: times, counters, identities, addresses, and the live values of a machine.
//
// [FOCAS] and [AES70] answer by request instead: they serve what a device has answered in a recording, in whatever order a client
// asks. [ATEM], [FCXML], [DeviceMaster] and [RFC2217] are what is to be known of a recorded device that speaks by itself. They are the far
// ends of replay+ device URLs.
package replay
