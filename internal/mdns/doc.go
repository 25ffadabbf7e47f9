// Package mdns tells the local network of services by multicast DNS and DNS-SD (RFC 6762, RFC 6763), over IPv4 and IPv6. It is a modest responder:
// it probes for its names before it uses them, gives them up when somebody else has them, announces twice, answers questions about its
// services but for what the asker knows already, says goodbye, and sends no record more than once a second. It has no cache, takes each packet
// by itself, and finds nothing: that is done by internal/lab/discover.
package mdns
