// Command startup measures a built patchbay: how long from its start to the first value on the event stream, how much
// memory it then holds, and how large the file is.
//
//	go run ./internal/tools/startup BINARY [RUNS]
package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"time"
)

// settle is how long the demo runs before its memory is read.
const settle = 10 * time.Second

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: startup BINARY [RUNS]")
		os.Exit(2)
	}
	runs := 5
	if len(os.Args) > 2 {
		n, err := strconv.Atoi(os.Args[2])
		if err != nil || n < 1 || n > 100 {
			fmt.Fprintf(os.Stderr, "startup: %q is no number of runs; give 1 to 100\n", os.Args[2])
			os.Exit(2)
		}
		runs = n
	}
	if err := report(os.Args[1], runs); err != nil {
		fmt.Fprintln(os.Stderr, "startup:", err)
		os.Exit(1)
	}
}

func report(binary string, runs int) error {
	info, err := os.Stat(binary)
	if err != nil {
		return err
	}
	var times []time.Duration
	var memory string
	for i := range runs {
		wait := time.Duration(0)
		if i == runs-1 {
			wait = settle
		}
		d, rss, err := once(binary, wait)
		if err != nil {
			return err
		}
		times, memory = append(times, d), rss
	}
	slices.Sort(times)
	fmt.Printf("size     %.1f MB\n", float64(info.Size())/1e6)
	fmt.Printf("start    median %v, longest %v of %d runs\n", times[len(times)/2].Round(time.Millisecond), times[len(times)-1].Round(time.Millisecond), runs)
	fmt.Printf("resident %s after %v\n", memory, settle)
	return nil
}

// once starts the demo and returns the time to the first points event and the resident memory after wait.
func once(binary string, wait time.Duration) (time.Duration, string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, binary, "demo", "--listen", "127.0.0.1:0")
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return 0, "", err
	}
	start := time.Now()
	if err := cmd.Start(); err != nil {
		return 0, "", err
	}
	defer func() {
		cancel()
		_ = cmd.Wait() // killed on purpose
	}()
	address, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return 0, "", fmt.Errorf("reading the page's address: %w", err)
	}
	took, err := firstValue(ctx, strings.TrimRight(strings.TrimSpace(address), "/"), start)
	if err != nil {
		return 0, "", err
	}
	select {
	case <-time.After(wait):
	case <-ctx.Done():
	}
	rss, err := resident(cmd.Process.Pid)
	return took, rss, err
}

// firstValue waits for a points event that holds a good value of a device, not of the gateway's own link points.
func firstValue(ctx context.Context, address string, start time.Time) (time.Duration, error) {
	q, err := http.NewRequestWithContext(ctx, http.MethodGet, address+"/api/v1/events?role=cnc.execution&every=10ms", nil)
	if err != nil {
		return 0, err
	}
	r, err := http.DefaultClient.Do(q)
	if err != nil {
		return 0, err
	}
	defer r.Body.Close()
	lines := bufio.NewScanner(r.Body)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		if strings.HasPrefix(lines.Text(), "data:") && strings.Contains(lines.Text(), `"quality":"good"`) {
			return time.Since(start), nil
		}
	}
	return 0, errors.Join(errors.New("the event stream ended without a value"), lines.Err())
}

func resident(pid int) (string, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return "", err
	}
	for line := range strings.Lines(string(b)) {
		if v, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			return strings.TrimSpace(v), nil
		}
	}
	return "unknown", nil
}
