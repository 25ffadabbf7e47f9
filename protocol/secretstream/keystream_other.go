//go:build !amd64 || purego

package secretstream

// vector is nil: there is no assembly.
func vector() eightBlocks { return nil }
