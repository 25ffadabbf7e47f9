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
	"regexp"
	"slices"
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
			code := Main(ctx, patient(os.Args[1:]), Streams{os.Stdin, os.Stdout, os.Stderr}, os.LookupEnv)
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
			"start": start, "logged": logged, "talk": talk, "peer": peer, "token": token, "fingerprint": fingerprint, "exits": exits, "port": port,
		},
		Setup: func(env *testscript.Env) error {
			env.Values[logsKey{}] = map[string]*growing{}
			return nil
		},
		RequireUniqueNames: true,
	})
}

// patient gives a command that asks a gateway or a device the time of scriptLimit, unless it has a time of its own: ten seconds are little on
// a machine that has much else to do.
func patient(args []string) []string {
	asks := []string{"get", "set", "do", "ls", "watch", "term", "pty", "pair", "reload", "check"}
	if len(args) == 0 || !slices.Contains(asks, args[0]) || slices.Contains(args, "--timeout") {
		return args
	}
	return append([]string{"--timeout", scriptLimit.String()}, args...)
}

// scriptLimit ends what hangs. It is long, since the machine may have much else to do.
const scriptLimit = 2 * time.Minute

// limited is a context that ends after scriptLimit.
func limited(ts *testscript.TestScript) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), scriptLimit)
	ts.Defer(cancel)
	return ctx
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
	log := newGrowing()
	ts.Value(logsKey{}).(map[string]*growing)[args[0]] = log
	cmd.Stderr = log
	out, err := cmd.StdoutPipe()
	ts.Check(err)
	ts.Check(cmd.Start())
	lines := bufio.NewReader(out)
	first, err := lines.ReadString('\n')
	if err != nil {
		_ = cmd.Wait() // the log says why
		ts.Fatalf("patchbay %s printed nothing: %v\n%s", strings.Join(args[1:], " "), err, log)
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
			ts.Fatalf("patchbay %s ended with %v\n%s", strings.Join(args[1:], " "), err, log)
		}
	})
}

// logsKey leads to what the programs of a script have written to standard error.
type logsKey struct{}

// logged VAR PATTERN waits until the program that start VAR runs has written a line that matches to standard error. What a program does
// for others and what it writes about that have no order.
func logged(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: logged VAR PATTERN")
	}
	log := ts.Value(logsKey{}).(map[string]*growing)[args[0]]
	if log == nil {
		ts.Fatalf("there is no start %s", args[0])
	}
	if !log.wait(limited(ts), regexp.MustCompile("(?m)"+args[1]).Match) {
		ts.Fatalf("%s has written nothing like %q:\n%s", args[0], args[1], log)
	}
}

// talk WANT INPUT ARGS… runs patchbay term ARGS… with a file as its input until it has printed what matches WANT on either output, and interrupts it
// then, as a person does; it must end with 0. How long an answer takes is of no consequence so.
func talk(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 3 {
		ts.Fatalf("usage: talk WANT INPUT ARGS…")
	}
	cmd := command(ts, append([]string{"term", "--linger", scriptLimit.String()}, args[2:]...))
	cmd.Stdin = strings.NewReader(ts.ReadFile(args[1]))
	said := newGrowing()
	cmd.Stdout, cmd.Stderr = said, said
	ts.Check(cmd.Start())
	heard := said.wait(limited(ts), regexp.MustCompile("(?m)"+args[0]).Match)
	_ = cmd.Process.Signal(os.Interrupt)
	if err := cmd.Wait(); err != nil || !heard {
		ts.Fatalf("patchbay term %s: %v, printed %q", strings.Join(args[2:], " "), err, said)
	}
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
	if args[1] == "refused" { // at the near end of a connection nobody listens, and nobody else gets its port
		c, err := net.Dial("tcp", l.Addr().String())
		ts.Check(err)
		ts.Setenv(args[0], c.LocalAddr().String())
		ts.Defer(func() {
			_ = c.Close()
			_ = l.Close()
		})
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
	timer := time.AfterFunc(scriptLimit, func() { _ = cmd.Process.Kill() })
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
