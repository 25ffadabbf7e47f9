package focasclient

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/patchbay-io/patchbay/internal/testnet"
	"github.com/patchbay-io/patchbay/protocol/focas"
)

// store is a control that transfers: answer says what follows a frame of channel 1.
type store struct {
	peer
	answer1 func(f focas.Frame) []byte
	buffer  int // of the connection, bytes; 0 is testnet's own

	mu   sync.Mutex
	seen []string // frames of channel 1, by type and direction
	data bytes.Buffer
}

func frame(t focas.Type, d focas.Direction, body ...byte) []byte {
	return append(focas.AppendHeader(nil, 3, t, d, len(body)), body...)
}

func refusal(t focas.Type, code byte) []byte {
	return frame(t, focas.DirError, 0, 1, 0, code, 0, 7, 0, 9)
}

// uploads answers an upload with pieces and then the end.
func uploads(pieces ...string) func(focas.Frame) []byte {
	return func(f focas.Frame) []byte {
		if f.Type != focas.TypeUploadStart {
			return nil
		}
		out := frame(focas.TypeUploadStart, focas.DirReply)
		for _, p := range pieces {
			out = append(out, frame(focas.TypeUploadData, focas.DirPush, []byte(p)...)...)
		}
		return append(out, frame(focas.TypeUploadEnd, focas.DirRequest)...)
	}
}

// downloads answers a download that all goes well.
func downloads(f focas.Frame) []byte {
	switch f.Type {
	case focas.TypeDownloadStart, focas.TypeDownloadEnd:
		return frame(f.Type, focas.DirReply)
	}
	return nil
}

// dialStore opens a session whose goroutines end with the test.
func dialStore(t *testing.T, s *store) *Client {
	t.Helper()
	s.version, s.open = 3, openReply30i(3, 1)
	s.raw = func(f focas.Frame) ([]byte, bool) {
		if f.Type == focas.TypeData || f.Type == focas.TypeOpen || f.Type == focas.TypeClose {
			return nil, false
		}
		s.mu.Lock()
		s.seen = append(s.seen, f.Type.String()+" "+f.Dir.String())
		if f.Type == focas.TypeDownloadData {
			s.data.Write(f.Body)
		}
		s.mu.Unlock()
		return s.answer1(f), true
	}
	c, err := Dial(t.Context(), func(context.Context, string, string) (net.Conn, error) {
		near, far := testnet.Pipe(s.buffer)
		done := make(chan struct{})
		go func() {
			defer close(done)
			s.serve(far)
		}()
		t.Cleanup(func() {
			near.Close()
			<-done
		})
		return near, nil
	}, "cnc.test:8193", Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close(context.Background()) })
	return c
}

func (s *store) frames() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.seen)
}

// alive reports a data session that no longer works.
func alive(t *testing.T, c *Client) {
	t.Helper()
	if _, err := c.Exchange(context.Background(), []focas.Request{focas.SysInfoRequest(1)}); err != nil {
		t.Errorf("the data session after the transfer: %v", err)
	}
}

func TestUpload(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &store{answer1: uploads("\nO1234\n", strings.Repeat("G0X1\n", 200), "%")}
		c := dialStore(t, s)
		var text bytes.Buffer
		var steps []int64
		n, err := c.Path(1).Upload(t.Context(), Transfer{File: focas.NumberedFiles(1234, 1234), Progress: func(n int64) { steps = append(steps, n) }}, &text)
		if want := "\nO1234\n" + strings.Repeat("G0X1\n", 200) + "%"; err != nil || text.String() != want || n != int64(len(want)) {
			t.Errorf("%d bytes, %v", n, err)
		}
		if !slices.Equal(steps, []int64{7, 1007, 1008}) {
			t.Errorf("progress %v", steps)
		}
		if d := cmp.Diff([]string{"upload-start request", "upload-end reply"}, s.frames()); d != "" {
			t.Error(d)
		}
		alive(t, c)
		if _, err := c.Path(1).Upload(t.Context(), Transfer{}, io.Discard); err != nil {
			t.Errorf("a second upload: %v", err)
		}
	})
}

// failing is a writer and a reader that fail.
type failing struct{}

var errDisk = errors.New("disk full")

func (failing) Write([]byte) (int, error) { return 0, errDisk }
func (failing) Read([]byte) (int, error)  { return 0, errDisk }

// settled is a reader that lets everything that can happen happen before each piece.
type settled struct{ io.Reader }

func (s settled) Read(b []byte) (int, error) {
	synctest.Wait()
	return s.Reader.Read(b)
}

func TestUploadEnds(t *testing.T) {
	start := frame(focas.TypeUploadStart, focas.DirReply)
	piece := frame(focas.TypeUploadData, focas.DirPush, 'x')
	join := func(fs ...[]byte) func(focas.Frame) []byte {
		return func(f focas.Frame) []byte {
			if f.Type == focas.TypeUploadStart {
				return slices.Concat(fs...)
			}
			return nil
		}
	}
	for _, row := range []struct {
		name     string
		answer   func(focas.Frame) []byte
		transfer Transfer
		w        io.Writer
		want     error
		cancels  bool // the control is told to stop
	}{
		{"start refused", join(refusal(focas.TypeUploadStart, 12)), Transfer{}, io.Discard, &focas.Error{Code: focas.EWMode}, false},
		{"data refused", join(start, piece, refusal(focas.TypeUploadData, 13)), Transfer{}, io.Discard, &focas.Error{Code: focas.EWReject}, false},
		{"end refused", join(start, piece, refusal(focas.TypeUploadEnd, 5)), Transfer{}, io.Discard, &focas.Error{Code: focas.EWData}, false},
		{"no such program", uploads(""), Transfer{}, io.Discard, ErrNothingSent, true},
		{"nothing but the end", uploads(), Transfer{}, io.Discard, ErrNothingSent, false},
		{"too much", uploads("12345", "67890"), Transfer{MaxBytes: 7}, io.Discard, ErrTransferSize, true},
		{"writer fails", uploads("12345"), Transfer{}, failing{}, errDisk, true},
		{"silence", join(), Transfer{}, io.Discard, os.ErrDeadlineExceeded, false},
		{"silence after a piece", join(start, piece), Transfer{}, io.Discard, os.ErrDeadlineExceeded, false},
		{"another frame", join(start, frame(focas.TypeData, focas.DirReply, 0, 0)), Transfer{}, io.Discard, ErrStale, false},
		{"no frame at all", join([]byte("HTTP/1.1 400 Bad Request\r\n\r\n")), Transfer{}, io.Discard, focas.ErrMark, false},
		{"end as a reply", join(start, frame(focas.TypeUploadEnd, focas.DirReply)), Transfer{}, io.Discard, ErrStale, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &store{answer1: row.answer}
				c := dialStore(t, s)
				if _, err := c.Path(1).Upload(t.Context(), row.transfer, row.w); !errors.Is(err, row.want) {
					t.Errorf("error %v, want %v", err, row.want)
				}
				synctest.Wait()
				if got := slices.Contains(s.frames(), "upload-cancel push"); got != row.cancels {
					t.Errorf("cancel %v, want %v: %v", got, row.cancels, s.frames())
				}
				alive(t, c)
			})
		})
	}
}

func TestUploadRefusalHasDetails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := dialStore(t, &store{answer1: func(focas.Frame) []byte { return refusal(focas.TypeUploadStart, 12) }})
		_, err := c.Path(1).Upload(t.Context(), Transfer{File: "N://CNC_MEM/O1"}, io.Discard)
		var refused *focas.Error
		if !errors.As(err, &refused) || refused.Detail != [2]int16{7, 9} || !refused.Frame {
			t.Errorf("%v", err)
		}
		for _, part := range []string{"N://CNC_MEM/O1", "cnc.test:8193", "EW_MODE", "upload"} {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%q does not name %s", err, part)
			}
		}
	})
}

// slow lets everything else that can happen happen after a deadline is set, before what is written under it. A deadline
// in the past, which cuts an exchange off, is set under a lock and does not linger.
type slow struct{ net.Conn }

func (c slow) SetDeadline(t time.Time) error {
	err := c.Conn.SetDeadline(t)
	if t.After(time.Now()) {
		time.Sleep(time.Millisecond) // of the bubble's time
	}
	return err
}

func TestUploadCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		s := &store{}
		s.answer1 = func(f focas.Frame) []byte { // goes on for ever
			if f.Type != focas.TypeUploadStart {
				return nil
			}
			return append(frame(focas.TypeUploadStart, focas.DirReply), frame(focas.TypeUploadData, focas.DirPush, 'x')...)
		}
		c := dialStore(t, s)
		open := c.open
		c.open = func(ctx context.Context, network, addr string) (net.Conn, error) {
			near, err := open(ctx, network, addr)
			return slow{near}, err
		}
		_, err := c.Path(1).Upload(ctx, Transfer{Progress: func(int64) { cancel() }}, io.Discard)
		if !errors.Is(err, context.Canceled) {
			t.Errorf("error %v", err)
		}
		synctest.Wait()
		if d := cmp.Diff([]string{"upload-start request", "upload-cancel push"}, s.frames()); d != "" {
			t.Error(d)
		}
		alive(t, c)
	})
}

// The connection's deadline is the context's then, and either may be noticed first.
func TestUploadContextDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		s := &store{answer1: func(f focas.Frame) []byte { // begins and says nothing more
			if f.Type != focas.TypeUploadStart {
				return nil
			}
			return frame(focas.TypeUploadStart, focas.DirReply)
		}}
		c := dialStore(t, s)
		if _, err := c.Path(1).Upload(ctx, Transfer{}, io.Discard); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v", err)
		}
		synctest.Wait()
		if d := cmp.Diff([]string{"upload-start request", "upload-cancel push"}, s.frames()); d != "" {
			t.Error(d)
		}
		alive(t, c)
	})
}

func TestDownload(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &store{answer1: downloads}
		c := dialStore(t, s)
		text := "\n" + strings.Repeat("G0X1\n", 600) + "%"
		var steps []int64
		n, err := c.Path(1).Download(t.Context(), Transfer{Progress: func(n int64) { steps = append(steps, n) }}, strings.NewReader(text))
		if err != nil || n != int64(len(text)) || s.data.String() != text {
			t.Errorf("%d bytes sent, %d arrived, %v", n, s.data.Len(), err)
		}
		if !slices.Equal(steps, []int64{1280, 2560, 3002}) {
			t.Errorf("progress %v", steps)
		}
		if d := cmp.Diff([]string{"download-start request", "download-data push", "download-data push", "download-data push", "download-end request"}, s.frames()); d != "" {
			t.Error(d)
		}
		alive(t, c)
	})
}

func TestDownloadEnds(t *testing.T) {
	big := strings.Repeat("x", 100*focas.MaxTransferData)
	at := func(typ focas.Type, answer []byte) func(focas.Frame) []byte {
		return func(f focas.Frame) []byte {
			if f.Type == typ {
				return answer
			}
			return downloads(f)
		}
	}
	for _, row := range []struct {
		name     string
		answer   func(focas.Frame) []byte
		transfer Transfer
		r        io.Reader
		want     error
	}{
		{"start refused", at(focas.TypeDownloadStart, refusal(focas.TypeDownloadStart, 12)), Transfer{}, strings.NewReader(big), &focas.Error{Code: focas.EWMode}},
		{"data refused", at(focas.TypeDownloadData, refusal(focas.TypeDownloadData, 8)), Transfer{}, strings.NewReader(big), &focas.Error{Code: focas.EWOvrFlow}},
		{"data refused at the end", at(focas.TypeDownloadEnd, refusal(focas.TypeDownloadData, 5)), Transfer{}, strings.NewReader(big), &focas.Error{Code: focas.EWData}},
		{"end refused", at(focas.TypeDownloadEnd, refusal(focas.TypeDownloadEnd, 15)), Transfer{}, strings.NewReader(big), &focas.Error{Code: focas.EWAlarm}},
		{"end without being asked", at(focas.TypeDownloadData, frame(focas.TypeDownloadEnd, focas.DirReply)), Transfer{}, settled{strings.NewReader(big)}, ErrStale},
		{"too much", downloads, Transfer{MaxBytes: 2000}, strings.NewReader(big), ErrTransferSize},
		{"reader fails", downloads, Transfer{}, failing{}, errDisk},
		{"silence at the start", at(focas.TypeDownloadStart, nil), Transfer{}, strings.NewReader(big), os.ErrDeadlineExceeded},
		{"silence at the end", at(focas.TypeDownloadEnd, nil), Transfer{}, strings.NewReader(big), os.ErrDeadlineExceeded},
		{"another frame", at(focas.TypeDownloadData, frame(focas.TypeData, focas.DirReply, 0, 0)), Transfer{}, strings.NewReader(big), ErrStale},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := dialStore(t, &store{answer1: row.answer, buffer: 4096})
				if _, err := c.Path(1).Download(t.Context(), row.transfer, row.r); !errors.Is(err, row.want) {
					t.Errorf("error %v, want %v", err, row.want)
				}
				alive(t, c)
			})
		})
	}
}

// A control that refuses and reads no further must not leave the sender waiting.
func TestDownloadRefusedByDeafControl(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		var conn net.Conn
		s := &store{buffer: 2048}
		s.answer1 = func(f focas.Frame) []byte {
			if f.Type == focas.TypeDownloadData {
				conn.Write(refusal(focas.TypeDownloadData, 8))
				<-release
			}
			return downloads(f)
		}
		c := dialStore(t, s)
		open := c.open
		c.open = func(ctx context.Context, network, addr string) (net.Conn, error) {
			near, err := open(ctx, network, addr)
			conn = near.(*testnet.Conn).Peer()
			return near, err
		}
		start := time.Now()
		_, err := c.Path(1).Download(t.Context(), Transfer{}, strings.NewReader(strings.Repeat("x", 1<<20)))
		// In the bubble's time: at once, or after the goodbye that a deaf control does not answer; never after the timeout.
		if waited := time.Since(start); waited > closeWait {
			t.Errorf("the refusal was reported after %v of waiting", waited)
		}
		if !errors.Is(err, &focas.Error{Code: focas.EWOvrFlow}) {
			t.Errorf("error %v", err)
		}
		close(release)
		alive(t, c)
	})
}

func TestDownloadCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		c := dialStore(t, &store{answer1: func(f focas.Frame) []byte {
			if f.Type == focas.TypeDownloadEnd {
				cancel()
				return nil
			}
			return downloads(f)
		}})
		if _, err := c.Path(1).Download(ctx, Transfer{}, strings.NewReader("\n%")); !errors.Is(err, context.Canceled) {
			t.Errorf("error %v", err)
		}
		alive(t, c)
	})
}

func TestTransferBusyAndClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &store{answer1: func(focas.Frame) []byte { return nil }}
		c := dialStore(t, s)
		first := make(chan error)
		go func() {
			_, err := c.Path(1).Upload(context.Background(), Transfer{}, io.Discard)
			first <- err
		}()
		synctest.Wait()
		if _, err := c.Path(1).Download(t.Context(), Transfer{}, strings.NewReader("%")); !errors.Is(err, ErrTransferBusy) {
			t.Errorf("a second transfer: %v, want ErrTransferBusy", err)
		}
		if err := c.Close(t.Context()); err != nil {
			t.Error(err)
		}
		if err := <-first; !errors.Is(err, net.ErrClosed) {
			t.Errorf("the transfer that Close interrupted: %v", err)
		}
		if _, err := c.Path(1).Upload(t.Context(), Transfer{}, io.Discard); !errors.Is(err, net.ErrClosed) {
			t.Errorf("after Close: %v", err)
		}
		if _, err := c.Path(1).Upload(t.Context(), Transfer{File: strings.Repeat("x", 600)}, io.Discard); err == nil {
			t.Error("a file specification that does not fit was taken")
		}
	})
}
