// Package web holds the built page, so that the one binary serves it without files beside it. The source is in src/;
// "make web" builds it into dist/, which is committed.
package web

import (
	"embed"
	"io/fs"
)

//go:embed all:dist
var dist embed.FS

// FS is the page: index.html at its root and hashed files below assets/. It is read-only and safe for concurrent use.
func FS() fs.FS {
	sub, err := fs.Sub(dist, "dist")
	if err != nil {
		panic("web: the embedded page has no dist folder: " + err.Error())
	}
	return sub
}
