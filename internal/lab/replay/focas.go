package replay

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"

	"github.com/patchbay-io/patchbay/protocol/focas"
	"github.com/patchbay-io/patchbay/protocol/focas/focasserver"
	"github.com/patchbay-io/patchbay/transcript"
)

// FOCAS is a control that answers as a real one did in a recording. Each request frame that was recorded is answered with
// the recorded bytes; equal requests take the recorded replies in turn, and begin again after the last. A frame that was
// not recorded is answered block by block: with the reply to an equal block, else, when it only reads, to a block with the
// same class, path, function and arguments; a block that nobody asked in the recording is refused with EW_FUNC, as a control refuses what it
// does not have. Programs that were uploaded are uploaded again. All methods may be called at the same time.
type FOCAS struct {
	open focas.OpenReply

	mu      sync.Mutex
	frames  map[string]*turns[[]byte]
	blocks  map[string]*turns[focas.Reply]
	loose   map[string]*turns[focas.Reply]
	uploads map[string][]byte
	stats   FOCASStats
}

// FOCASStats counts how requests were answered.
type FOCASStats struct {
	Frames  uint64 // answered with a recorded frame
	Blocks  uint64 // answered with a recorded block
	Unknown uint64 // blocks that were refused because nobody asked them in the recording
}

// turns hands out recorded replies one after the other, again and again.
type turns[T any] struct {
	list []T
	next int
}

func (t *turns[T]) take() T {
	x := t.list[t.next]
	t.next = (t.next + 1) % len(t.list)
	return x
}

func put[T any](m map[string]*turns[T], key string, x T) {
	t := m[key]
	if t == nil {
		t = &turns[T]{}
		m[key] = t
	}
	t.list = append(t.list, x)
}

// ErrNoSession is the cause when a recording does not show how a control opens a data session.
var ErrNoSession = errors.New("the recording has no answer to an open request of FOCAS on channel 2, so it cannot stand for a control")

// ReadFOCAS reads a recording from a file; see [NewFOCAS].
func ReadFOCAS(name string) (*FOCAS, error) {
	return readFile(name, NewFOCAS)
}

// NewFOCAS learns the answers of a recording. It starts nothing.
func NewFOCAS(t *transcript.Transcript) (*FOCAS, error) {
	if err := mustBe(t, "focas", "focas"); err != nil {
		return nil, err
	}
	r := &FOCAS{frames: map[string]*turns[[]byte]{}, blocks: map[string]*turns[focas.Reply]{}, loose: map[string]*turns[focas.Reply]{},
		uploads: map[string][]byte{}}
	eachFlow(t, func(*transcript.Event) *learner { return &learner{r: r} })
	if r.open.Version == 0 {
		return nil, ErrNoSession
	}
	return r, nil
}

// learner pairs the requests and replies of one flow.
type learner struct {
	r       *FOCAS
	bufs    [2][]byte
	broken  [2]bool  // bytes that are no frame: nothing more is learned from that direction
	asked   [][]byte // request frames without an answer yet
	channel uint16
	upload  string
}

func (l *learner) feed(e *transcript.Event) {
	n := 0
	if e.Dir == transcript.FromServer {
		n = 1
	}
	if l.broken[n] {
		return
	}
	l.bufs[n] = append(l.bufs[n], e.Data...)
	for {
		f, rest, err := focas.ParseFrame(l.bufs[n])
		if err != nil {
			l.broken[n] = !errors.Is(err, focas.ErrShort)
			return
		}
		raw := l.bufs[n][:len(l.bufs[n])-len(rest)]
		if n == 0 {
			l.request(f, raw)
		} else {
			l.reply(f, raw)
		}
		l.bufs[n] = rest
	}
}

func (l *learner) request(f focas.Frame, raw []byte) {
	switch f.Type {
	case focas.TypeOpen:
		if c, err := focas.ParseOpenRequest(f.Body); err == nil {
			l.channel = c
		}
	case focas.TypeData:
		l.asked = append(l.asked, bytes.Clone(raw))
	case focas.TypeUploadStart:
		if s, err := focas.ParseTransferStart(f.Body); err == nil {
			l.upload = uploadKey(s)
		}
	}
}

func (l *learner) reply(f focas.Frame, raw []byte) {
	switch {
	case f.Type == focas.TypeOpen && f.Dir == focas.DirReply && len(f.Body) > 0 && (l.channel == focas.ChannelData || l.r.open.Version == 0):
		if o, err := focas.ParseOpenReply(f.Version, f.Body); err == nil {
			l.r.open = o
		}
	case f.Type == focas.TypeUploadData && f.Dir == focas.DirPush && l.upload != "":
		l.r.uploads[l.upload] = append(l.r.uploads[l.upload], f.Body...)
	case f.Type == focas.TypeUploadEnd:
		l.upload = ""
	case f.Type == focas.TypeData && len(l.asked) > 0:
		asked := l.asked[0]
		l.asked = l.asked[1:]
		put(l.r.frames, string(asked), bytes.Clone(raw))
		if f.Dir == focas.DirReply {
			l.r.learnBlocks(asked[focas.HeaderSize:], f.Body)
		}
	}
}

// learnBlocks pairs the blocks of a request with those of its reply.
func (r *FOCAS) learnBlocks(asked, answered []byte) {
	qs, err1 := focas.RequestBlocks(asked)
	ps, err2 := focas.ReplyBlocks(answered)
	if err1 != nil || err2 != nil {
		return
	}
	for {
		q, ok, _ := qs.NextRequest()
		p, ok2, _ := ps.NextReply()
		if !ok || !ok2 {
			return
		}
		p.Payload = bytes.Clone(p.Payload)
		put(r.blocks, string(q.Append(nil)), p)
		put(r.loose, looseKey(&q), p)
	}
}

// looseKey leaves out the flag and the data of a request block.
func looseKey(q *focas.Request) string {
	b := binary.BigEndian.AppendUint16(nil, uint16(q.Class))
	b = binary.BigEndian.AppendUint16(b, q.Path)
	b = binary.BigEndian.AppendUint16(b, uint16(q.Func))
	for _, a := range q.Args {
		b = binary.BigEndian.AppendUint32(b, uint32(a))
	}
	return string(b)
}

func uploadKey(s focas.TransferStart) string {
	return fmt.Sprintf("%d/%d/%s", s.Kind, s.Path, s.Spec())
}

// Serve serves the recorded control on l until ctx ends; it closes l.
func (r *FOCAS) Serve(ctx context.Context, l net.Listener) error {
	return focasserver.New(answering{r}, focasserver.Options{DataOnTransfer: focasserver.MisplacedServe}).Serve(ctx, l)
}

// Stats count how requests were answered so far.
func (r *FOCAS) Stats() FOCASStats {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.stats
}

// answering is the handler of a recorded control.
type answering struct{ r *FOCAS }

// Open answers as the control did.
func (a answering) Open(context.Context, *focasserver.Conn) (focas.OpenReply, error) {
	return a.r.open, nil
}

// Data answers with the recorded frame, else block by block.
func (a answering) Data(_ context.Context, _ *focasserver.Conn, blocks []focas.Request, replies []focas.Reply) ([]focas.Reply, error) {
	r := a.r
	r.mu.Lock()
	defer r.mu.Unlock()
	if t := r.frames[string(focas.AppendRequests(nil, blocks))]; t != nil {
		r.stats.Frames++
		return replies, focasserver.RawFrame(t.take())
	}
	for i := range blocks {
		t := r.blocks[string(blocks[i].Append(nil))]
		if t == nil && blocks[i].Func.Info().Effect == focas.EffectRead {
			t = r.loose[looseKey(&blocks[i])] // never for a write: its data is what matters
		}
		if t == nil {
			r.stats.Unknown++
			replies = append(replies, focas.Reply{Code: focas.EWFunc})
			continue
		}
		r.stats.Blocks++
		replies = append(replies, t.take())
	}
	return replies, nil
}

// Upload gives a program that was uploaded in the recording.
func (a answering) Upload(_ context.Context, _ *focasserver.Conn, s focas.TransferStart) (io.ReadCloser, error) {
	text, ok := a.r.uploads[uploadKey(s)]
	if !ok {
		return nil, &focas.Error{Code: focas.EWData}
	}
	return io.NopCloser(bytes.NewReader(text)), nil
}

// Download refuses: a recording takes nothing in.
func (a answering) Download(context.Context, *focasserver.Conn, focas.TransferStart) (focasserver.Download, error) {
	return nil, &focas.Error{Code: focas.EWReject}
}
