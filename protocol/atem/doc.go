// Package atem is the language of Blackmagic ATEM video switchers: fields, which are the same over UDP, over the OpenSwitcher
// TCP relay and over USB, what they mean, and the packets and session numbers of the UDP transport. All numbers are big
// endian.
package atem
