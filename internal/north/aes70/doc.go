// Package aes70 is the door for AES70 (OCA) controllers: it shows them devices of any driver as objects by role path, over TCP, TLS and WebSocket.
// All controllers of all its devices share the one session of each device, which the gateway holds. What they change goes the way of
// every other write.
package aes70
