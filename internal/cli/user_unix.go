//go:build unix

package cli

import (
	"os"
	"syscall"
)

// keepOwner gives f the owner and group of the file that it takes the place of, so that who could read that one still can.
func keepOwner(f *os.File, before os.FileInfo) error {
	s, ok := before.Sys().(*syscall.Stat_t)
	if !ok {
		return nil
	}
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if now, ok := info.Sys().(*syscall.Stat_t); ok && now.Uid == s.Uid && now.Gid == s.Gid {
		return nil
	}
	return f.Chown(int(s.Uid), int(s.Gid))
}
