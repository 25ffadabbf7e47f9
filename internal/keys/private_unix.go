//go:build !windows

package keys

import "io/fs"

func private(info fs.FileInfo) error {
	if info.Mode().Perm()&0o077 != 0 {
		return errWide
	}
	return nil
}
