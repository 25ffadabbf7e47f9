// Package audit keeps who did what: the newest entries in memory, and all of them as JSON lines in a file that is rotated
// by size. Adding never waits for the disk.
package audit
