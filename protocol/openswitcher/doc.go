// Package openswitcher is the OpenSwitcher relay of ATEM switchers over TCP: the fields of package atem in packets with a
// length in front, after a handshake with login and choice of a device. All numbers are big endian.
//
//	client                                       server
//	*SW*                          →
//	                              ←              AUTH           when a login is wanted
//	*USR and *PWD in one packet   →
//	                              ←              *HW* each      the devices that can be had, or the end of the connection
//	*DEV                          →
//	                              ←              everything the switcher is, InCm last
//	fields                        ⇄              fields
//
// The handshake is as the relay's own document gives it (spec). What a server does with clients that do not keep to it was
// seen on the existing relay.
package openswitcher
