package drivertest

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"
)

// toyFar is a device with a few numbers. It speaks lines:
//
//	greeting        toy 1
//	get a b         r a=1 b=?
//	set a 5         r ok, or r no
//	sub             r ok, then p a=6 at each change
type toyFar struct {
	mu     sync.Mutex
	values map[string]int
	writes int
	subs   map[net.Conn]bool
	slow   time.Duration // before each reply
}

func newToyFar() *toyFar {
	return &toyFar{values: map[string]int{"a": 1, "b": 2, "level": 7, "fixed": 9}, subs: map[net.Conn]bool{}}
}

func (f *toyFar) serve(ctx context.Context, l net.Listener) error {
	var wg sync.WaitGroup
	defer wg.Wait()
	for {
		c, err := l.Accept()
		if err != nil {
			return nil
		}
		wg.Go(func() {
			defer context.AfterFunc(ctx, func() { c.Close() })()
			defer c.Close()
			f.talk(c)
			f.mu.Lock()
			delete(f.subs, c)
			f.mu.Unlock()
		})
	}
}

func (f *toyFar) talk(c net.Conn) {
	fmt.Fprint(c, "toy 1\n")
	in := bufio.NewScanner(c)
	for in.Scan() {
		time.Sleep(f.slow)
		f.mu.Lock()
		answer := f.answer(c, strings.Fields(in.Text()))
		f.mu.Unlock()
		if _, err := fmt.Fprintf(c, "r %s\n", answer); err != nil {
			return
		}
	}
}

func (f *toyFar) answer(c net.Conn, words []string) string {
	switch {
	case len(words) > 0 && words[0] == "get":
		var out []string
		for _, w := range words[1:] {
			v := "?"
			if n, ok := f.values[w]; ok {
				v = strconv.Itoa(n)
			}
			out = append(out, w+"="+v)
		}
		return strings.Join(out, " ")
	case len(words) == 3 && words[0] == "set":
		n, err := strconv.Atoi(words[2])
		if _, ok := f.values[words[1]]; !ok || err != nil || n > 100 || words[1] == "fixed" {
			return "no"
		}
		f.writes++
		f.change(words[1], n)
		return "ok"
	case len(words) == 1 && words[0] == "sub":
		f.subs[c] = true
		return "ok"
	}
	return "no"
}

func (f *toyFar) change(name string, v int) {
	f.values[name] = v
	for c := range f.subs {
		fmt.Fprintf(c, "p %s=%d\n", name, v)
	}
}
