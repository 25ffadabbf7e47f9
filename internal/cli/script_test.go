package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"patchbay": func() {
			ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
			code := Main(ctx, os.Args[1:], Streams{os.Stdin, os.Stdout, os.Stderr}, os.LookupEnv)
			stop()
			os.Exit(code)
		},
		"bare-bridge": func() { os.Exit(bareBridge(os.Args[1], os.Args[2])) },
	})
}

// The scripts show what a user sees, on failure most of all.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"start": start, "peer": peer, "token": token, "fingerprint": fingerprint, "exits": exits, "port": port,
		},
		RequireUniqueNames: true,
	})
}

// program finds the patchbay of the test.
func program(ts *testscript.TestScript) string {
	for _, dir := range filepath.SplitList(ts.Getenv("PATH")) {
		for _, name := range []string{"patchbay", "patchbay.exe"} {
			if path := filepath.Join(dir, name); fileExists(path) {
				return path
			}
		}
	}
	ts.Fatalf("patchbay is not in PATH")
	return ""
}

func fileExists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func command(ts *testscript.TestScript, args []string) *exec.Cmd {
	cmd := exec.Command(program(ts), args...)
	cmd.Dir = ts.MkAbs(".")
	cmd.Env = append(os.Environ(), "PATH="+ts.Getenv("PATH"), "PATCHBAY_STATE_DIR="+ts.MkAbs("state"))
	for _, name := range []string{"PATCHBAY_GATEWAY", "PATCHBAY_TOKEN", "PATCHBAY_FINGERPRINT", "PATCHBAY_CA", "PLANTED_HOST"} {
		cmd.Env = append(cmd.Env, name+"="+ts.Getenv(name))
	}
	return cmd
}

// start VAR ARGS… runs patchbay in the background and sets VAR to the first line that it prints. It is interrupted at the
// end of the script and must then end with 0.
func start(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: start VAR ARGS…")
	}
	cmd := command(ts, args[1:])
	log, err := os.Create(ts.MkAbs(args[0] + ".log"))
	ts.Check(err)
	cmd.Stderr = log
	out, err := cmd.StdoutPipe()
	ts.Check(err)
	ts.Check(cmd.Start())
	lines := bufio.NewReader(out)
	first, err := lines.ReadString('\n')
	if err != nil {
		_ = cmd.Wait() // the log says why
		text, _ := os.ReadFile(log.Name())
		ts.Fatalf("patchbay %s printed nothing: %v\n%s", strings.Join(args[1:], " "), err, text)
	}
	ts.Setenv(args[0], strings.TrimSpace(first))
	rest := make(chan struct{})
	go func() { // ends with the program
		defer close(rest)
		_, _ = io.Copy(io.Discard, lines)
	}()
	ts.Defer(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		<-rest
		if err := cmd.Wait(); err != nil {
			text, _ := os.ReadFile(log.Name())
			ts.Fatalf("patchbay %s ended with %v\n%s", strings.Join(args[1:], " "), err, text)
		}
		_ = log.Close()
	})
}

// peer VAR KIND sets VAR to the address of something that is not what it should be: refused (nobody listens), silent (it
// takes connections and says nothing), http (it answers with a web page), closes (it closes every connection at once).
func peer(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: peer VAR KIND")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	ts.Setenv(args[0], l.Addr().String())
	if args[1] == "refused" {
		ts.Check(l.Close())
		return
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		var open []net.Conn
		defer func() {
			for _, c := range open {
				_ = c.Close()
			}
		}()
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			open = append(open, c)
			switch args[1] {
			case "closes":
				_ = c.Close()
			case "http":
				_, _ = io.WriteString(c, "HTTP/1.1 400 Bad Request\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n<html>no</html>")
				_ = c.(*net.TCPConn).CloseWrite()
			}
		}
	}()
	ts.Defer(func() {
		_ = l.Close()
		<-done
	})
}

// exits CODE ARGS… runs patchbay, checks its exit code and leaves what it printed in the files stdout and stderr.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE ARGS…")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	cmd := command(ts, args[1:])
	var out, errs strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &errs
	timer := time.AfterFunc(time.Minute, func() { _ = cmd.Process.Kill() })
	err = cmd.Run()
	timer.Stop()
	ts.Check(os.WriteFile(ts.MkAbs("stdout"), []byte(out.String()), 0o600))
	ts.Check(os.WriteFile(ts.MkAbs("stderr"), []byte(errs.String()), 0o600))
	ts.Logf("%s%s", out.String(), errs.String())
	var ee *exec.ExitError
	if err != nil && !errors.As(err, &ee) {
		ts.Fatalf("%v", err)
	}
	if got := cmd.ProcessState.ExitCode(); got != want {
		ts.Fatalf("patchbay %s: exit code %d, want %d", fmt.Sprint(args[1:]), got, want)
	}
}
