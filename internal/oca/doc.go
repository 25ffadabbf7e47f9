// Package oca shows the points of a device to AES70 (OCA) controllers as objects of their own: the tree, its classes, the ways to connect,
// and what is configured about such a server. The native servers of drivers stand on it, and the door of internal/north/aes70, which serves devices of any driver.
package oca
