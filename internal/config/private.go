package config

import (
	"fmt"
	"os"
	"runtime"
)

// Private refuses a file that holds secrets and that other users of this machine can read or change, with the command
// that mends it. Members of the file's group may read it. Windows has no such bits; there it asks nothing.
func Private(name string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	info, err := os.Stat(name)
	if err != nil {
		return err
	}
	if info.Mode().IsRegular() && info.Mode().Perm()&0o027 != 0 {
		return fmt.Errorf("%w; run: chmod 600 %s", errPublic, name)
	}
	return nil
}
