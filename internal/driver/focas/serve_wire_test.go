package focas

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/internal/testnet"
	"github.com/patchbay-io/patchbay/protocol/focas"
	"github.com/patchbay-io/patchbay/protocol/focas/focasclient"
	"github.com/patchbay-io/patchbay/protocol/focas/focassim"
	"github.com/patchbay-io/patchbay/transcript"
)

// canned is a control that plays one recorded flow per channel and refuses everything else that it is asked.
type canned struct {
	open  []byte          // reply
	steps map[uint16]turn // by channel
}

// turn is what a recorded flow said: the control's frames that follow a frame of the client.
type turn map[string][][]byte

func (c *canned) serve(conn net.Conn) {
	defer conn.Close()
	r := focas.NewFrameReader(conn)
	channel := uint16(0)
	for {
		f, err := r.Next()
		if err != nil {
			return
		}
		version := focas.Version(c.open[5])
		answers, known := c.steps[channel][string(f.Append(nil))]
		switch {
		case f.Type == focas.TypeOpen:
			channel, _ = focas.ParseOpenRequest(f.Body)
			answers = [][]byte{c.open}
		case known:
		case f.Type == focas.TypeClose:
			answers = [][]byte{focas.AppendHeader(nil, version, focas.TypeClose, focas.DirReply, 0)}
		case f.Type == focas.TypeData:
			var replies []focas.Reply
			blocks, _ := focas.RequestBlocks(f.Body)
			for q, ok, _ := blocks.NextRequest(); ok; q, ok, _ = blocks.NextRequest() {
				replies = append(replies, focas.Reply{Class: q.Class, Path: q.Path, Func: q.Func, Code: focas.EWFunc})
			}
			answers = [][]byte{focas.AppendReplies(nil, version, replies)}
		}
		for _, a := range answers {
			if _, err := conn.Write(a); err != nil {
				return
			}
		}
	}
}

// flow is one recorded call on one channel.
type flow struct {
	name    string
	channel uint16
	classic bool
	events  []transcript.Event
}

// measured reads the transcripts of the exchanges with FANUC's library.
func measured(t *testing.T) []flow {
	t.Helper()
	files, err := filepath.Glob("../../../protocol/focas/testdata/transcripts/*.transcript")
	if err != nil || len(files) == 0 {
		t.Fatalf("no transcripts: %v", err)
	}
	var out []flow
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		tr, err := transcript.Parse(b)
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		for _, n := range tr.Flows() {
			f := flow{channel: focas.ChannelData, classic: strings.Contains(file, "-classic")}
			for _, e := range tr.Events {
				switch {
				case e.Flow != n:
				case e.Kind == transcript.Note:
					f.name = strings.TrimSuffix(filepath.Base(file), ".transcript") + " " + e.Text
					if strings.HasPrefix(e.Text, "channel 1:") {
						f.channel = focas.ChannelTransfer
					}
				case e.Kind == transcript.Data:
					f.events = append(f.events, e)
				}
			}
			out = append(out, f)
		}
	}
	return out
}

// begins reports whether the flow holds its own open.
func (f *flow) begins() bool {
	h, err := focas.ParseHeader(f.events[0].Data)
	return err == nil && h.Type == focas.TypeOpen
}

// turn is the flow as a control plays it.
func (f *flow) turn() turn {
	out, last := turn{}, ""
	for _, e := range f.events {
		if e.Dir == transcript.FromClient {
			last = string(e.Data)
			continue
		}
		out[last] = append(out[last], e.Data)
	}
	return out
}

// everything allows every function and transfer.
func everything() Calls {
	c := Calls{funcs: map[focas.Func]bool{}, downloads: map[focas.TransferKind]bool{focas.TransferProgram: true}}
	for n := range 1 << 16 {
		c.funcs[focas.Func(n)] = true
	}
	return c
}

// What FANUC's library asked is answered through the server with the bytes that the control gave, in every measured
// exchange, opens and transfers among them.
func TestServeKeepsTheBytes(t *testing.T) {
	flows := measured(t)
	opens := map[bool][]byte{}
	for _, f := range flows {
		if f.begins() {
			opens[f.classic] = f.events[1].Data
		}
	}
	all := everything()
	for _, f := range flows {
		t.Run(f.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				far := &canned{open: opens[f.classic], steps: map[uint16]turn{f.channel: f.turn()}}
				if f.begins() {
					far.open = f.events[1].Data
				}
				network := new(testnet.Network)
				var wg sync.WaitGroup
				ctx, cancel := context.WithCancel(t.Context())
				ln := network.MustListen(simAddr)
				wg.Go(func() {
					for {
						c, err := ln.Accept()
						if err != nil {
							return
						}
						wg.Go(func() { far.serve(c) })
					}
				})
				up := &upstream{dial: network.Dial}
				opts := serveDefaults()
				opts.Allow = all
				wg.Go(func() {
					_ = Driver{}.Serve(ctx, driver.ServeEnv{Upstreams: []driver.Upstream{up}, Gate: new(gate), Log: slog.New(slog.DiscardHandler),
						Listen: func(ctx context.Context, n, _ string) (net.Listener, error) { return network.Listen(ctx, n, serveAddr) }}, opts)
				})
				synctest.Wait()
				c, err := network.Dial(ctx, "tcp", serveAddr)
				if err != nil {
					t.Fatal(err)
				}
				expect := func(want []byte) {
					t.Helper()
					if err := c.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
						t.Fatal(err)
					}
					got := make([]byte, len(want))
					n, err := io.ReadFull(c, got)
					if err != nil || !bytes.Equal(got, want) {
						t.Fatalf("%v, got\n%swant\n%s", err, hex.Dump(got[:n]), hex.Dump(want))
					}
				}
				if !f.begins() {
					if _, err := c.Write(focas.AppendOpenRequest(nil, f.channel)); err != nil {
						t.Fatal(err)
					}
					expect(far.open)
				}
				for _, e := range f.events {
					if e.Dir == transcript.FromServer {
						expect(e.Data)
						continue
					}
					if _, err := c.Write(e.Data); err != nil {
						t.Fatal(err)
					}
				}
				c.Close()
				synctest.Wait()
				cancel()
				up.end(true)
				ln.Close()
				wg.Wait()
			})
		})
	}
	if len(flows) < 236 {
		t.Errorf("%d flows; 236 exchanges were measured", len(flows))
	}
}

// Programs are uploaded through the server, and downloaded when that is allowed; one transfer at a time.
func TestServeTransfers(t *testing.T) {
	const text = "\nO7777(THROUGH)\nG0X0.\nM30\n%"
	up := func(ctx context.Context, c *focasclient.Client, spec string) (string, error) {
		var b bytes.Buffer
		_, err := c.Path(1).Upload(ctx, focasclient.Transfer{File: spec}, &b)
		return b.String(), err
	}
	down := func(ctx context.Context, c *focasclient.Client, text string) error {
		_, err := c.Path(1).Download(ctx, focasclient.Transfer{}, strings.NewReader(text))
		return err
	}
	wantCode := func(t *testing.T, what string, err error, code focas.Code) {
		t.Helper()
		if !errors.Is(err, &focas.Error{Code: code}) {
			t.Errorf("%s: %v, want %v", what, err, code)
		}
	}
	withServer(t, "30i", nil, func(ctx context.Context, s *served) {
		c := s.program(ctx)
		if err := s.sim.AddProgram(1, "O7776\nG1X1.F100.\n"+strings.Repeat("G1X2.\n", 2000)+"M30"); err != nil {
			t.Fatal(err)
		}
		direct, err := focasclient.Dial(ctx, s.net.Dial, simAddr, focasclient.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer direct.Close(ctx)
		want, err := up(ctx, direct, focas.NumberedFiles(7776, 7776))
		if err != nil || len(want) < 10000 {
			t.Fatal(err, len(want))
		}
		if got, err := up(ctx, c, focas.NumberedFiles(7776, 7776)); err != nil || got != want {
			t.Errorf("upload: %v\n%s", err, cmp.Diff(want, got))
		}
		if _, err := up(ctx, c, focas.NumberedFiles(1, 1)); !errors.Is(err, focasclient.ErrNothingSent) {
			t.Errorf("upload of nothing: %v", err)
		}
		_, err = up(ctx, c, focas.NamedFile("//CNC_MEM/NOWHERE/O1"))
		wantCode(t, "upload from nowhere", err, focas.EWData)
		wantCode(t, "download that is not allowed", down(ctx, c, text), focas.EWProt)
		if d := cmp.Diff([]string{"download refused"}, s.gate.done); d != "" {
			t.Error(d)
		}
		// A program that stops in the middle leaves the way free for the next.
		stopped, cancel := context.WithCancel(ctx)
		_, err = c.Path(1).Upload(stopped, focasclient.Transfer{File: focas.NumberedFiles(7776, 7776), Progress: func(int64) { cancel() }}, io.Discard)
		if !errors.Is(err, context.Canceled) {
			t.Errorf("stopped upload: %v", err)
		}
		synctest.Wait()
		if got, err := up(ctx, c, focas.NumberedFiles(7776, 7776)); err != nil || got != want {
			t.Errorf("upload after a stopped one: %v, %d bytes", err, len(got))
		}
	})
	withServer(t, "30i", allow(t, "download"), func(ctx context.Context, s *served) {
		c, err := focasclient.Dial(ctx, s.net.Dial, "127.0.0.1:8193", focasclient.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close(ctx)
		if err := down(ctx, c, text); err != nil {
			t.Fatal(err)
		}
		if got, err := up(ctx, c, focas.NumberedFiles(7777, 7777)); err != nil || got != text {
			t.Errorf("what was downloaded comes back as %q, %v", got, err)
		}
		wantCode(t, "the same program again", down(ctx, c, text), focas.EWData)
		wantCode(t, "nonsense", down(ctx, c, "\nO7778\n?!\n%"), focas.EWData)
		_, err = c.Path(1).Download(ctx, focasclient.Transfer{Kind: focas.TransferParam}, strings.NewReader(text))
		wantCode(t, "parameters", err, focas.EWProt)
		s.sim.Protect(true)
		wantCode(t, "a protected memory", down(ctx, c, text), focas.EWProt)
		want := []string{"download acknowledged", "download refused", "download refused", "download-parameter refused", "download refused"}
		if d := cmp.Diff(want, s.gate.done); d != "" {
			t.Error(d)
		}
		// While one runs, another is told to come again.
		s.sim.Protect(false)
		r, w := io.Pipe()
		first := make(chan error, 1)
		go func() {
			_, err := c.Path(1).Download(ctx, focasclient.Transfer{}, r)
			first <- err
		}()
		_, _ = io.WriteString(w, "\nO7779\n")
		synctest.Wait()
		other, err := focasclient.Dial(ctx, s.net.Dial, "127.0.0.1:8193", focasclient.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer other.Close(ctx)
		_, err = up(ctx, other, focas.NumberedFiles(7777, 7777))
		wantCode(t, "a second transfer", err, focas.EWBusy)
		_, _ = io.WriteString(w, "M30\n%")
		w.Close()
		if err := <-first; err != nil {
			t.Errorf("the first transfer: %v", err)
		}
	})
}

// Each program and the gateway's own polling get their turn: who sends as fast as it can does not get two while another
// waits.
func TestServeIsFair(t *testing.T) {
	withServer(t, "30i", func(o *ServeOptions) { o.Window = 0 }, func(ctx context.Context, s *served) {
		s.sim.SetFaults(focassim.Faults{Delay: 10 * time.Millisecond})
		counts := make([]int, 5)
		var wg sync.WaitGroup
		ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
		defer cancel()
		for i := range counts {
			c := s.program(ctx)
			wg.Go(func() {
				for ctx.Err() == nil {
					if _, err := c.Exchange(context.WithoutCancel(ctx), []focas.Request{focas.MacroRequest(1, int32(500+i), int32(500+i))}); err != nil {
						t.Error(err)
						return
					}
					counts[i]++
				}
			})
		}
		own, _, err := s.up.Session(ctx)
		if err != nil {
			t.Fatal(err)
		}
		polls := 0
		wg.Go(func() {
			for ctx.Err() == nil {
				if _, err := own.Read(context.WithoutCancel(ctx), suitePaths()); err != nil {
					t.Error(err)
					return
				}
				polls++
			}
		})
		wg.Wait()
		for i, n := range counts {
			if n < 140 || n > 185 {
				t.Errorf("program %d got %d of about 1000 turns among six: %v, polls %d", i, n, counts, polls)
			}
		}
		if polls < 30 {
			t.Errorf("the gateway got %d polls: %v", polls, counts)
		}
	})
}

func suitePaths() []device.Path { return []device.Path{"path/1/execution"} }

// A lost link is a reset to programs, as a control that is switched off, and what they had asked comes back as nothing.
func TestServeResetsItsClients(t *testing.T) {
	sim, err := focassim.New(focassim.Options{Manual: true})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	wg.Go(func() { _ = sim.Serve(ctx, ln) })
	up := &upstream{dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, ln.Addr().String())
	}}
	if _, _, err := up.Session(ctx); err != nil {
		t.Fatal(err)
	}
	front := make(chan string, 1)
	wg.Go(func() {
		_ = Driver{}.Serve(ctx, driver.ServeEnv{Upstreams: []driver.Upstream{up}, Gate: new(gate), Log: slog.New(slog.DiscardHandler),
			Listen: func(ctx context.Context, network, _ string) (net.Listener, error) {
				l, err := net.Listen(network, "127.0.0.1:0")
				if err == nil {
					front <- l.Addr().String()
				}
				return l, err
			}}, serveDefaults())
	})
	addr := <-front
	var c *focasclient.Client
	for c == nil && t.Context().Err() == nil { // the server takes a moment to follow its upstream
		c, _ = focasclient.Dial(ctx, new(net.Dialer).DialContext, addr, focasclient.Options{})
	}
	raw, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	open := focas.AppendOpenRequest(nil, focas.ChannelData)
	if _, err := raw.Write(open); err != nil {
		t.Fatal(err)
	}
	if _, err := focas.NewFrameReader(raw).Next(); err != nil {
		t.Fatal(err)
	}
	if err := raw.SetReadDeadline(time.Now().Add(2 * time.Minute)); err != nil { // only a failure waits for it
		t.Fatal(err)
	}
	sim.PowerCycle()
	if _, err := c.Exchange(ctx, []focas.Request{statInfo}); err == nil { // the link learns of it when it is used
		t.Error("a control without power has answered")
	}
	if _, err := io.Copy(io.Discard, raw); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("the control lost power, and a program sees %v", err)
	}
	_ = c.Close(ctx)
	cancel()
	up.end(true)
	wg.Wait()
}
