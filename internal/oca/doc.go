// Package oca shows the points of a device to AES70 (OCA) controllers as objects of their own: the tree, its classes, and what is configured
// about such a server. The native servers of drivers stand on it, and the door of internal/north/oca, which serves devices of any driver.
package oca
