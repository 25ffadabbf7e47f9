package cli

import (
	"bytes"
	"context"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// peerProgram finds a program that is not ours. A missing one is a skip on a developer's machine and a failure in CI.
func peerProgram(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err == nil {
		return path
	}
	if os.Getenv("CI") == "true" {
		t.Fatalf("%s is missing; CI installs every peer", name)
	}
	t.Skipf("%s is missing; install it to run this", name)
	return ""
}

// peerLimit ends a program that hangs. It is long, since the machine may have much else to do.
const peerLimit = 3 * time.Minute

// runPeer runs a program that is not ours with an input and returns its output.
func runPeer(t *testing.T, input, name string, args ...string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), peerLimit)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Stdin = strings.NewReader(input)
	cmd.WaitDelay = time.Second
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	return out.String(), err
}

// talkToPeer runs a program that is not ours as a person does: it types text and waits for an answer, and then it types quit and ends the
// input, after which the program has to end. It returns all that the program has said.
func talkToPeer(t *testing.T, text, answer, quit, name string, args ...string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), peerLimit)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.WaitDelay = time.Second
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	heard := newGrowing()
	cmd.Stdout, cmd.Stderr = heard, heard
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	running, stop := context.WithCancel(ctx)
	go func() {
		ended <- cmd.Wait()
		stop()
	}()
	_, _ = io.WriteString(in, text) // a program that has ended says why itself
	if heard.wait(running, holds(answer)) {
		_, _ = io.WriteString(in, quit)
	}
	in.Close()
	return heard.String(), <-ended
}

// eventually waits until something outside this process is as it should be. Nothing tells when, so it looks again and again; a minute is
// for a machine that has much else to do.
func eventually(t testing.TB, what string, look func() error) {
	t.Helper()
	for end := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		err := look()
		if err == nil {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("waited in vain: %s: %v", what, err)
		}
	}
}
