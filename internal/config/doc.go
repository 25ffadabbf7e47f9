// Package config reads what a person wrote about the gateway and its devices: defaults first, then the file, then the
// environment, then flags. It knows drivers only as a list that is passed in; the options of a device are typed by its
// driver. Mistakes are reported several at once, each with its place, the line and what would be right. Loading reads the
// named file and the files that secrets refer to, and does no other I/O.
package config
