// Package testpeer runs small C programs around a foreign library, which tests talk to over standard input and output. What a
// block of bytes is there: its length, 4 bytes in the machine's order, and the bytes.
package testpeer

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// maxBlock is the longest block that is believed, in bytes.
const maxBlock = 1 << 24

// Peer is a running program. It is not safe for concurrent use.
type Peer struct {
	in  *bufio.Writer
	out *bufio.Reader
}

// Start compiles and starts the C program at source with library, which Debian has in the package called debian. Without compiler
// or library the test is skipped, and fails in CI. The program is to end when its input does, with the test.
func Start(t testing.TB, source, library, debian string) *Peer {
	t.Helper()
	missing := t.Skipf
	if os.Getenv("CI") == "true" {
		missing = t.Fatalf
	}
	cc, err := exec.LookPath("cc")
	if err != nil {
		missing("no C compiler (Debian: gcc): %v", err)
	}
	program := filepath.Join(t.TempDir(), "peer")
	if out, err := exec.Command(cc, "-O2", "-o", program, source, "-l"+library).CombinedOutput(); err != nil {
		missing("%s does not compile, or lib%s is missing (Debian: %s): %v\n%s", source, library, debian, err, out)
	}
	cmd := exec.Command(program)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		if err := cmd.Wait(); err != nil {
			t.Errorf("%s: %v", source, err)
		}
	})
	return &Peer{bufio.NewWriter(in), bufio.NewReader(out)}
}

// Say sends the parts, one after the other.
func (p *Peer) Say(parts ...[]byte) error {
	for _, b := range parts {
		p.in.Write(b) //nolint:errcheck // Flush gives the error again
	}
	return p.in.Flush()
}

// Read waits for n bytes.
func (p *Peer) Read(n int) ([]byte, error) {
	b := make([]byte, n)
	_, err := io.ReadFull(p.out, b)
	return b, err
}

// ReadBlock waits for a block.
func (p *Peer) ReadBlock() ([]byte, error) {
	head, err := p.Read(4)
	if err != nil {
		return nil, err
	}
	n := binary.NativeEndian.Uint32(head)
	if n > maxBlock {
		return nil, fmt.Errorf("the program announces a block of %d bytes", n)
	}
	return p.Read(int(n))
}

// Block is b as a block.
func Block(b []byte) []byte {
	return append(binary.NativeEndian.AppendUint32(nil, uint32(len(b))), b...)
}
