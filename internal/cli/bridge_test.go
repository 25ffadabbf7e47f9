package cli

import (
	"fmt"
	"io"
	"net"
	"os"
	"syscall"
)

// bareBridge is the least that a Go program can do between TCP and a terminal, for the benchmarks of serial ports. It serves one client
// of addr and returns its exit code.
func bareBridge(addr, terminal string) int {
	fail := func(err error) int {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	f, err := os.OpenFile(terminal, os.O_RDWR|syscall.O_NONBLOCK, 0) // so that no thread waits in the kernel
	if err != nil {
		return fail(err)
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return fail(err)
	}
	c, err := l.Accept()
	if err != nil {
		return fail(err)
	}
	pass := func(to io.Writer, from io.Reader) error {
		buf := make([]byte, 16<<10)
		for {
			n, err := from.Read(buf)
			if err != nil {
				return err
			}
			if _, err := to.Write(buf[:n]); err != nil {
				return err
			}
		}
	}
	go func() { _ = pass(f, c) }() // ends with the process
	if err := pass(c, f); err != io.EOF {
		return fail(err)
	}
	return 0
}
