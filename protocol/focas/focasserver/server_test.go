package focasserver

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/patchbay-io/patchbay/protocol/focas"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// echo answers each block with its own data, or as its function says.
type echo struct {
	version focas.Version
	openErr error

	mu       sync.Mutex
	closed   int
	received []string
	aborted  int
}

const (
	funcBig    focas.Func = 0x7001 // Args[0] bytes of payload
	funcRefuse focas.Func = 0x7002 // refuses the frame
	funcBreak  focas.Func = 0x7003 // an error that is none of the protocol's
	funcFew    focas.Func = 0x7004 // forgets the replies
	funcRaw    focas.Func = 0x7005 // sends raw bytes
)

func (e *echo) Open(context.Context, *Conn) (focas.OpenReply, error) {
	return focas.OpenReply{Version: e.version, Records: []focas.PathRecord{{System: 1}}}, e.openErr
}

func (e *echo) Closed(*Conn) {
	e.mu.Lock()
	e.closed++
	e.mu.Unlock()
}

func (e *echo) Data(_ context.Context, _ *Conn, blocks []focas.Request, replies []focas.Reply) ([]focas.Reply, error) {
	for _, q := range blocks {
		switch q.Func {
		case funcRefuse:
			return replies, &focas.Error{Code: 5, Detail: [2]int16{6, 7}}
		case funcBreak:
			return replies, errors.New("broken")
		case funcFew:
			return replies[:0], nil
		case funcRaw:
			return replies, RawFrame("not a frame")
		case funcBig:
			replies = append(replies, focas.Reply{Payload: make([]byte, q.Args[0])})
		default:
			replies = append(replies, focas.Reply{Payload: q.Data})
		}
	}
	return replies, nil
}

const program = "\nO1(TEST)\nM30\n%"

func (e *echo) Upload(_ context.Context, _ *Conn, start focas.TransferStart) (io.ReadCloser, error) {
	switch start.Spec() {
	case "none":
		return nil, &focas.Error{Code: focas.EWData, Detail: [2]int16{2, 0}}
	case "empty":
		return io.NopCloser(strings.NewReader("")), nil
	case "long":
		return io.NopCloser(endless{}), nil
	case "fails":
		return io.NopCloser(io.MultiReader(strings.NewReader(program), failing{})), nil
	}
	return io.NopCloser(strings.NewReader(strings.Repeat(program, 200))), nil
}

type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, &focas.Error{Code: focas.EWRdReset} }

func (e *echo) Download(_ context.Context, _ *Conn, start focas.TransferStart) (Download, error) {
	if start.Spec() == "none" {
		return nil, errors.New("no")
	}
	return &sink{e: e}, nil
}

type sink struct {
	e *echo
	b bytes.Buffer
}

func (s *sink) Write(p []byte) (int, error) {
	if bytes.Contains(p, []byte("?")) {
		return 0, &focas.Error{Code: focas.EWData, Detail: [2]int16{1, 0}}
	}
	return s.b.Write(p)
}

func (s *sink) Commit(context.Context) error {
	if strings.Contains(s.b.String(), "FULL") {
		return &focas.Error{Code: focas.EWOvrFlow}
	}
	s.e.mu.Lock()
	s.e.received = append(s.e.received, s.b.String())
	s.e.mu.Unlock()
	return nil
}

func (s *sink) Abort() {
	s.e.mu.Lock()
	s.e.aborted++
	s.e.mu.Unlock()
}

// client is one raw connection.
type client struct {
	t *testing.T
	net.Conn
	r *focas.FrameReader
}

func serve(t *testing.T, h Handler, o Options) (addr string, s *Server) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s = New(h, o)
	done := make(chan error, 1)
	go func() { done <- s.Serve(context.Background(), ln) }()
	t.Cleanup(func() {
		s.Close()
		if err := <-done; err != ErrServerClosed {
			t.Errorf("Serve: %v", err)
		}
	})
	return ln.Addr().String(), s
}

func dial(t *testing.T, addr string) *client {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return &client{t, c, focas.NewFrameReader(c)}
}

func open(t *testing.T, addr string, channel uint16) *client {
	t.Helper()
	c := dial(t, addr)
	c.send(focas.AppendOpenRequest(nil, channel))
	if f := c.next(); f.Type != focas.TypeOpen || f.Dir != focas.DirReply || f.Version != 3 || len(f.Body) != 72 {
		t.Fatalf("open reply %+v", f)
	}
	return c
}

func (c *client) send(b []byte) {
	c.t.Helper()
	if _, err := c.Write(b); err != nil {
		c.t.Fatal(err)
	}
}

func (c *client) next() focas.Frame {
	c.t.Helper()
	f, err := c.r.Next()
	if err != nil {
		c.t.Fatal(err)
	}
	f.Body = bytes.Clone(f.Body)
	return f
}

// ended reports how the connection ends; it fails when a frame comes instead.
func (c *client) ended() error {
	c.t.Helper()
	f, err := c.r.Next()
	if err == nil {
		c.t.Fatalf("a frame instead of the end: %+v", f)
	}
	return err
}

func (c *client) wantError(t focas.Type, code focas.Code) {
	c.t.Helper()
	f := c.next()
	e, err := focas.ParseErrorBody(f.Body)
	if f.Type != t || f.Dir != focas.DirError || err != nil || e.Code != code {
		c.t.Errorf("%v %v with %x, want %v error %v", f.Type, f.Dir, f.Body, t, code)
	}
}

func request(f focas.Func, data ...byte) focas.Request {
	return focas.Request{Class: focas.ClassCNC, Path: 1, Func: f, Data: data}
}

func replies(t *testing.T, f focas.Frame) []focas.Reply {
	t.Helper()
	bs, err := focas.ReplyBlocks(f.Body)
	if err != nil {
		t.Fatal(err)
	}
	var all []focas.Reply
	for {
		p, ok, err := bs.NextReply()
		if err != nil {
			t.Fatal(err)
		}
		if !ok {
			return all
		}
		all = append(all, p)
	}
}

func TestOpenDataClose(t *testing.T) {
	e := &echo{version: 3}
	addr, s := serve(t, e, Options{})
	c := open(t, addr, focas.ChannelData)
	blocks := []focas.Request{request(0x19, 1, 2, 3), {Class: focas.ClassPMC, Path: 2, Func: 0x8001, Data: []byte{4}}}
	c.send(focas.AppendRequests(nil, blocks))
	want := []focas.Reply{{Class: 1, Path: 1, Func: 0x19, Payload: []byte{1, 2, 3}}, {Class: 2, Path: 2, Func: 0x8001, Payload: []byte{4}}}
	f := c.next()
	if f.Version != 3 || f.Dir != focas.DirReply {
		t.Errorf("%+v", f.Header)
	}
	if diff := cmp.Diff(want, replies(t, f)); diff != "" {
		t.Error(diff)
	}
	c.send(focas.AppendCloseRequest(nil))
	if f := c.next(); f.Type != focas.TypeClose || f.Dir != focas.DirReply || len(f.Body) != 0 {
		t.Errorf("%+v", f)
	}
	if err := c.ended(); err != io.EOF {
		t.Errorf("after close: %v", err)
	}
	if err := s.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	if e.closed != 1 {
		t.Errorf("Closed called %d times", e.closed)
	}
}

func TestFramesThatCannotBeTrusted(t *testing.T) {
	data := focas.AppendRequests(nil, []focas.Request{request(0x19)})
	broken := func(at int, v byte) []byte { b := bytes.Clone(data); b[at] = v; return b }
	addr, _ := serve(t, &echo{version: 3}, Options{})
	for _, tt := range []struct {
		name  string
		bytes []byte
	}{
		{"mark", broken(0, 0)},
		{"direction 0", broken(7, 0)},
		{"direction 5", broken(7, 5)},
		{"too long", broken(8, 0x7f)},
		{"HTTP", []byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n")},
		{"second open", focas.AppendOpenRequest(nil, 2)},
		{"error of the handler", focas.AppendRequests(nil, []focas.Request{request(funcBreak)})},
		{"handler forgets replies", focas.AppendRequests(nil, []focas.Request{request(funcFew)})},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := open(t, addr, focas.ChannelData)
			c.send(tt.bytes)
			c.ended()
		})
	}
	for name, b := range map[string][]byte{"data before open": data, "short open": {0xa0, 0xa0, 0xa0, 0xa0, 0, 1, 1, 1, 0, 1, 2}} {
		c := dial(t, addr)
		c.send(b)
		if err := c.ended(); err == io.EOF {
			t.Errorf("%s: ends without a reset", name)
		}
	}
}

func TestRefusedFramesLeaveTheConnection(t *testing.T) {
	addr, _ := serve(t, &echo{version: 3}, Options{})
	c := open(t, addr, focas.ChannelData)
	hexFrame := func(s string) []byte {
		b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	good := "001c 0001 0001 0019 00000000000000000000000000000000 0000 0000"
	for _, tt := range []struct {
		name string
		b    []byte
		typ  focas.Type
		code focas.Code
	}{
		{"no body", hexFrame("a0a0a0a0 0001 2101 0000"), focas.TypeData, focas.EWLength},
		{"no blocks", hexFrame("a0a0a0a0 0001 2101 0002 0000"), focas.TypeData, focas.EWLength},
		{"block missing", hexFrame("a0a0a0a0 0001 2101 001e 0002" + good), focas.TypeData, focas.EWLength},
		{"block too many", hexFrame("a0a0a0a0 0001 2101 003a 0001" + good + good), focas.TypeData, focas.EWLength},
		{"block too long", hexFrame("a0a0a0a0 0001 2101 001e 0001 001d" + good[5:]), focas.TypeData, focas.EWLength},
		{"data length", hexFrame("a0a0a0a0 0001 2101 001e 0001" + good[:len(good)-1] + "1"), focas.TypeData, focas.EWLength},
		{"reply direction", hexFrame("a0a0a0a0 0001 2102 001e 0001" + good), focas.TypeData, focas.EWFunc},
		{"refused by the handler", focas.AppendRequests(nil, []focas.Request{request(funcRefuse)}), focas.TypeData, 5},
		{"unknown type", hexFrame("a0a0a0a0 0001 7701 0000"), focas.Type(0x77), focas.EWFunc},
		{"transfer on channel 2", hexFrame("a0a0a0a0 0001 1301 0000"), focas.TypeDownloadEnd, focas.EWFunc},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c.t = t
			c.send(tt.b)
			c.wantError(tt.typ, tt.code)
		})
	}
	c.t = t
	c.send(focas.AppendRequests(nil, []focas.Request{request(0x19, 9)}))
	if p := replies(t, c.next()); !bytes.Equal(p[0].Payload, []byte{9}) {
		t.Errorf("%+v", p)
	}
	c.send(focas.AppendRequests(nil, []focas.Request{request(funcRaw)}))
	raw := make([]byte, len("not a frame"))
	if _, err := io.ReadFull(c, raw); err != nil || string(raw) != "not a frame" {
		t.Errorf("%q, %v", raw, err)
	}
}

func TestBodyLimitOfTheVersion(t *testing.T) {
	for _, v := range []focas.Version{1, 3, 4, 5} {
		most := v.MaxBody() - 2 - 2*focas.ReplyBlockSize
		for _, tt := range []struct {
			sizes [2]int32
			codes [2]focas.Code
		}{
			{[2]int32{int32(most), 0}, [2]focas.Code{0, 0}},
			{[2]int32{int32(most) - 1, 1}, [2]focas.Code{0, 0}},
			{[2]int32{int32(most), 1}, [2]focas.Code{0, focas.EWLength}},
			{[2]int32{int32(most) + 1, 1}, [2]focas.Code{focas.EWLength, 0}},
		} {
			blocks := []focas.Request{request(1), request(1)}
			replies := []focas.Reply{{Payload: make([]byte, tt.sizes[0])}, {Payload: make([]byte, tt.sizes[1])}}
			fit(v, blocks, replies)
			if got := [2]focas.Code{replies[0].Code, replies[1].Code}; got != tt.codes {
				t.Errorf("version %d, %v bytes: codes %v, want %v", v, tt.sizes, got, tt.codes)
			}
			if f := focas.AppendReplies(nil, v, replies); len(f)-focas.HeaderSize > v.MaxBody() {
				t.Errorf("version %d, %v bytes: body of %d", v, tt.sizes, len(f)-focas.HeaderSize)
			}
		}
	}
	addr, _ := serve(t, &echo{version: 3}, Options{})
	c := open(t, addr, focas.ChannelData)
	big := request(funcBig)
	big.Args[0] = 3000
	c.send(focas.AppendRequests(nil, []focas.Request{big, request(0x19, 1)}))
	p := replies(t, c.next())
	if p[0].Code != focas.EWLength || p[1].Code != 0 || len(p[1].Payload) != 1 {
		t.Errorf("%+v", p)
	}
}

// TestOneByteAtATime sends two frames in single bytes, then two at once.
func TestOneByteAtATime(t *testing.T) {
	addr, _ := serve(t, &echo{version: 3}, Options{})
	c := open(t, addr, focas.ChannelData)
	two := focas.AppendRequests(focas.AppendRequests(nil, []focas.Request{request(1, 1)}), []focas.Request{request(2, 2)})
	for i := range two {
		c.send(two[i : i+1])
	}
	c.send(two)
	for _, want := range []focas.Func{1, 2, 1, 2} {
		if p := replies(t, c.next()); p[0].Func != want {
			t.Errorf("function %v, want %v", p[0].Func, want)
		}
	}
}

func TestMisplacedData(t *testing.T) {
	data := focas.AppendRequests(nil, []focas.Request{request(0x19, 1)})
	for _, m := range []Misplaced{MisplacedReset, MisplacedRefuse, MisplacedServe} {
		addr, _ := serve(t, &echo{version: 3}, Options{DataOnTransfer: m})
		c := open(t, addr, focas.ChannelTransfer)
		c.send(data)
		switch m {
		case MisplacedReset:
			if err := c.ended(); err == io.EOF {
				t.Error("ends without a reset")
			}
		case MisplacedRefuse:
			c.wantError(focas.TypeData, focas.EWFunc)
		case MisplacedServe:
			if p := replies(t, c.next()); len(p) != 1 {
				t.Errorf("%+v", p)
			}
		}
	}
}

func TestRefusedOpen(t *testing.T) {
	addr, _ := serve(t, &echo{version: 3, openErr: &focas.Error{Code: focas.EWBusy}}, Options{})
	c := dial(t, addr)
	c.send(focas.AppendOpenRequest(nil, 2))
	c.wantError(focas.TypeOpen, focas.EWBusy)
	e := &echo{version: 3, openErr: errors.New("full")}
	addr, _ = serve(t, e, Options{})
	c = dial(t, addr)
	c.send(focas.AppendOpenRequest(nil, 2))
	c.ended()
	if e.closed != 0 {
		t.Error("Closed called for a connection that was never open")
	}
}

func TestUploads(t *testing.T) {
	addr, _ := serve(t, &echo{version: 3}, Options{FrameTimeout: 5 * time.Second})
	c := open(t, addr, focas.ChannelTransfer)
	begin := func(spec string) {
		s, err := focas.MakeTransferStart(focas.TransferProgram, 1, spec)
		if err != nil {
			t.Fatal(err)
		}
		c.send(focas.AppendUploadStart(nil, &s))
	}
	header := func(ty focas.Type, d focas.Direction, n int) []byte {
		return focas.Frame{Header: focas.Header{Version: 1, Type: ty, Dir: d}, Body: make([]byte, n)}.Append(nil)
	}
	begin("O1-O1")
	if f := c.next(); f.Type != focas.TypeUploadStart || f.Dir != focas.DirReply {
		t.Fatalf("%+v", f)
	}
	var text []byte
	for {
		f := c.next()
		if f.Type == focas.TypeUploadEnd && f.Dir == focas.DirRequest {
			break
		}
		if f.Type != focas.TypeUploadData || f.Dir != focas.DirPush || len(f.Body) > 1280 {
			t.Fatalf("%+v", f.Header)
		}
		text = append(text, f.Body...)
	}
	if string(text) != strings.Repeat(program, 200) {
		t.Errorf("%d bytes", len(text))
	}
	c.send(header(focas.TypeUploadEnd, focas.DirReply, 0))

	begin("none")
	c.wantError(focas.TypeUploadStart, focas.EWData)

	begin("empty")
	c.next()
	if f := c.next(); f.Type != focas.TypeUploadData || len(f.Body) != 0 {
		t.Errorf("an empty upload: %v with %d bytes", f.Type, len(f.Body))
	}
	if f := c.next(); f.Type != focas.TypeUploadEnd {
		t.Errorf("an empty upload: %v", f.Type)
	}
	c.send(header(focas.TypeUploadEnd, focas.DirReply, 0))

	begin("fails")
	c.next()
	c.next()
	c.wantError(focas.TypeUploadData, focas.EWRdReset)

	begin("long")
	c.next()
	c.next()
	c.send(header(focas.TypeUploadCancel, focas.DirPush, focas.CancelSize))
	begin("none") // what was under way comes first
	for {
		f := c.next()
		if f.Type == focas.TypeUploadStart {
			break
		}
		if f.Type != focas.TypeUploadData {
			t.Fatalf("%+v", f.Header)
		}
	}
	c.send(header(focas.TypeUploadStart, focas.DirRequest, 10))
	c.wantError(focas.TypeUploadStart, focas.EWLength)
	begin("long") // and the client goes away in the middle
	c.next()
	c.Close()
}

func TestDownloads(t *testing.T) {
	e := &echo{version: 3}
	addr, s := serve(t, e, Options{MaxDownload: 4000})
	c := open(t, addr, focas.ChannelTransfer)
	begin := func(spec string) {
		s, err := focas.MakeTransferStart(focas.TransferProgram, 1, spec)
		if err != nil {
			t.Fatal(err)
		}
		c.send(focas.AppendDownloadStart(nil, &s))
	}
	piece := func(s string) {
		c.send(focas.Frame{Header: focas.Header{Version: 1, Type: focas.TypeDownloadData, Dir: focas.DirPush}, Body: []byte(s)}.Append(nil))
	}
	end := func() {
		c.send(focas.AppendHeader(nil, 1, focas.TypeDownloadEnd, focas.DirRequest, 0))
	}
	want := func(ty focas.Type) {
		t.Helper()
		if f := c.next(); f.Type != ty || f.Dir != focas.DirReply || len(f.Body) != 0 {
			t.Fatalf("%v %v %x", f.Type, f.Dir, f.Body)
		}
	}
	begin("")
	want(focas.TypeDownloadStart)
	piece("\nO1\n")
	piece("M30\n%")
	end()
	want(focas.TypeDownloadEnd)

	begin("")
	want(focas.TypeDownloadStart)
	piece("FULL")
	end()
	c.wantError(focas.TypeDownloadEnd, focas.EWOvrFlow)

	begin("")
	want(focas.TypeDownloadStart)
	piece("?")
	c.wantError(focas.TypeDownloadData, focas.EWData)
	piece("thrown away")
	end()
	c.wantError(focas.TypeDownloadEnd, focas.EWData)

	begin("")
	want(focas.TypeDownloadStart)
	for range 4 {
		piece(strings.Repeat("x", 1280))
	}
	c.wantError(focas.TypeDownloadData, focas.EWOvrFlow)

	begin("none")
	c.wantError(focas.TypeDownloadStart, focas.EWReject)
	piece("without a start")
	c.wantError(focas.TypeDownloadData, focas.EWReject)
	end()
	c.wantError(focas.TypeDownloadEnd, focas.EWReject)

	begin("")
	want(focas.TypeDownloadStart)
	c.Close()
	s.Close()
	if diff := cmp.Diff([]string{"\nO1\nM30\n%"}, e.received); diff != "" || e.aborted != 3 {
		t.Errorf("%s, %d aborted, want 3", diff, e.aborted)
	}
}

func FuzzServer(f *testing.F) {
	begin := focas.AppendOpenRequest(nil, 2)
	f.Add(focas.AppendRequests(bytes.Clone(begin), []focas.Request{request(0x19, 1)}))
	f.Add(focas.AppendOpenRequest(nil, 1))
	start, err := focas.MakeTransferStart(0, 1, "x")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(focas.AppendUploadStart(focas.AppendOpenRequest(nil, 1), &start))
	f.Add(focas.AppendDownloadStart(focas.AppendOpenRequest(nil, 1), &start))
	f.Add([]byte("GET / HTTP/1.0\r\n\r\n"))
	f.Fuzz(func(t *testing.T, in []byte) {
		client, server := net.Pipe()
		ln := &oneConn{conn: server, done: make(chan struct{})}
		s := New(&echo{version: 3}, Options{DataOnTransfer: MisplacedServe})
		served := make(chan error, 1)
		go func() { served <- s.Serve(context.Background(), ln) }()
		go func() {
			client.Write(in)
			s.Drop(false)
			client.Close()
		}()
		r := focas.NewFrameReader(client)
		for {
			fr, err := r.Next()
			if err != nil {
				if errors.Is(err, focas.ErrMark) || errors.Is(err, focas.ErrTooLong) || errors.Is(err, focas.ErrDirection) {
					if !bytes.Contains(in, []byte{0x70, 0x05}) { // what funcRaw sends is no frame
						t.Errorf("the server's bytes are no frame: %v", err)
					}
				}
				break
			}
			if fr.Type == focas.TypeData && fr.Dir == focas.DirReply {
				replies(t, fr)
			}
		}
		client.Close()
		s.Close()
		<-served
	})
}

// oneConn is a listener that accepts one connection.
type oneConn struct {
	mu   sync.Mutex
	conn net.Conn
	done chan struct{}
	once sync.Once
}

func (l *oneConn) Accept() (net.Conn, error) {
	l.mu.Lock()
	c := l.conn
	l.conn = nil
	l.mu.Unlock()
	if c != nil {
		return c, nil
	}
	<-l.done
	return nil, net.ErrClosed
}
func (l *oneConn) Close() error   { l.once.Do(func() { close(l.done) }); return nil }
func (l *oneConn) Addr() net.Addr { return &net.TCPAddr{} }
